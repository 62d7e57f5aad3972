"""Start order settings: what they give, and how what is wrong is named (rulebook 7, worked example 12)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.timing.domain.start_list import Changes, start_list
from apps.timing.domain.start_order import IntervalBand, Seed, Starter, StartOrderError, Strategy
from apps.timing.domain.start_settings import StageFacts, StartSettings, read_settings

TIRANE = ZoneInfo("Europe/Tirane")
FACTS = StageFacts(
    strategy="manual",
    interval_s=60,
    starts_at=datetime(2026, 6, 8, 4, tzinfo=UTC),
    zone=TIRANE,
    classes=frozenset({"M-1", "M-2", "C-1"}),
)
MOTO: dict[str, Any] = {"name": "moto", "classes": ["M-1", "M-2"], "gap_seconds": 1800}
CAR: dict[str, Any] = {"name": "car", "classes": ["C-1"]}
ORD17 = [
    {"from": 1, "interval_seconds": 180},
    {"from": 11, "interval_seconds": 120},
    {"from": 21, "interval_seconds": 30, "together": 2},
]


def local(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1000, TIRANE).strftime("%H:%M:%S")


def clock(settings: StartSettings, numbers: range, race_class: str) -> dict[int, str]:
    """Race number → start in local time."""
    starters = [Starter(str(n), n, race_class) for n in numbers]
    slots = start_list(starters, settings.first_ts, settings.blocks, Changes())
    return {int(slot.entry): local(slot.start_ts) for slot in slots}


def test_worked_example_12_from_the_settings_to_the_list() -> None:
    """ORD17 for motorcycles 1 to 24, ORD22 for cars by number 1 to 40 with a first start of their own."""
    cars = [{"from": 1, "interval_seconds": 120}, {"from": 36, "interval_seconds": 60}]
    params = {
        "first_start": "06:00:00",
        "blocks": [MOTO | {"bands": ORD17}, CAR | {"bands": cars, "first_start": "08:40"}],
    }
    settings = read_settings(params, FACTS)
    motos = clock(settings, range(1, 25), "M-1")
    assert {n: motos[n] for n in (1, 2, 10, 11, 20, 21, 22, 23, 24)} == {
        1: "06:00:00", 2: "06:03:00", 10: "06:27:00", 11: "06:29:00", 20: "06:47:00",
        21: "06:47:30", 22: "06:47:30", 23: "06:48:00", 24: "06:48:00",
    }  # fmt: skip
    found = clock(settings, range(1, 41), "C-1")
    assert (found[35], found[36], found[40]) == ("09:48:00", "09:49:00", "09:53:00")


def test_without_settings_all_classes_start_together_from_the_stage_on() -> None:
    settings = read_settings({}, FACTS)
    [block] = settings.blocks
    assert block.classes == FACTS.classes and block.bands == (IntervalBand(1, 60_000),)
    assert settings.first_ts == int(FACTS.starts_at.timestamp() * 1000)


def test_a_block_takes_what_it_does_not_say_from_above() -> None:
    params = {"top_n": 15, "seed": "reverse_number", "blocks": [MOTO, CAR | {"top_n": 10, "seed": "number"}]}
    moto, car = read_settings(params, replace(FACTS, strategy="inverse_top_n_then_natural")).blocks
    assert (moto.rules.top_n, moto.rules.seed, moto.gap_ms) == (15, Seed.REVERSE_NUMBER, 1_800_000)
    assert (car.rules.top_n, car.rules.seed, car.gap_ms) == (10, Seed.NUMBER, 60_000)


def test_prologue_choice_is_named_in_the_settings() -> None:
    params = {"strategy": "prologue_choice", "top_n": 15, "chooses_first": "last", "choices": {"12": 3}}
    settings = read_settings(params, FACTS)
    rules = settings.blocks[0].rules
    assert settings.strategy is Strategy.PROLOGUE_CHOICE and rules.choices == {12: 3}
    assert not rules.winner_chooses_first and settings.numbers == {12} and settings.source == "stage"


def test_the_clean_result_is_without_penalties() -> None:
    assert not read_settings({}, replace(FACTS, strategy="previous_stage_clean_result")).with_penalties
    assert read_settings({}, replace(FACTS, strategy="previous_stage")).with_penalties


def test_the_first_start_is_a_local_time_of_the_stages_day_or_an_instant() -> None:
    """The stage begins at 06:00 in Tirana, 04:00 UTC."""
    for text in ("07:30", "2026-06-08T05:30:00+00:00", "2026-06-08T07:30:00+02:00"):
        assert local(read_settings({"first_start": text}, FACTS).first_ts) == "07:30:00"


@pytest.mark.parametrize(("day", "text"), [((2026, 3, 29), "02:30"), ((2026, 10, 25), "02:30")])
def test_a_local_time_the_clocks_skip_or_show_twice_is_refused(day: tuple[int, int, int], text: str) -> None:
    facts = replace(FACTS, starts_at=datetime(*day, 0, tzinfo=TIRANE))
    with pytest.raises(StartOrderError, match="no single instant"):
        read_settings({"first_start": text}, facts)


def test_an_offset_settles_a_time_shown_twice() -> None:
    facts = replace(FACTS, starts_at=datetime(2026, 10, 25, 0, tzinfo=TIRANE))
    early, late = (read_settings({"first_start": f"2026-10-25T02:30:00+0{h}:00"}, facts).first_ts for h in (2, 1))
    assert late - early == 3_600_000


WRONG: list[tuple[str, Any, str]] = [
    ("manual", [], r"settings: \[\] is no object"),
    ("manual", {"topn": 3}, "topn: unknown; known are"),
    ("manual", {"top_n": "3"}, "top_n: '3' is no whole number"),
    ("manual", {"top_n": True}, "top_n: True is no whole number"),
    ("manual", {"seed": "age"}, "seed: 'age' is none of number, reverse_number"),
    ("manual", {"order": [1, 2, 1]}, "order: 1 is in it twice"),
    ("manual", {"order": [0]}, r"order\[0\]: 0 is no whole number from 1 on"),
    ("manual", {"order": 7}, "order: 7 is no list"),
    ("manual", {"choices": {"x": 1}}, "choices: 'x' is no race number"),
    ("manual", {"choices": {"3": 0}}, "choices.3: 0 is no whole number"),
    ("manual", {"choices": [3]}, "choices: .* is no object"),
    ("manual", {"chooses_first": "both"}, "chooses_first: 'both' is none of winner, last"),
    ("manual", {"with_penalties": 1}, "with_penalties: 1 is neither true nor false"),
    ("previous_stage_clean_result", {"with_penalties": True}, "with_penalties: true contradicts"),
    ("previous_stage", {"strategy": "manual"}, "strategy: manual contradicts the stage's own"),
    ("previous_stage", {"source": "overall"}, "source: overall contradicts"),
    ("inverse_of_overall", {"source": "stage"}, "source: stage contradicts"),
    ("inverse_top_n_then_natural", {}, "top_n: inverse_top_n_then_natural needs it"),
    ("manual", {"first_start": "noon"}, "first_start: 'noon' is neither"),
    ("manual", {"first_start": 7}, "first_start: 7 is neither"),
    ("manual", {"first_start": "2026-06-08T07:30:00"}, "has no offset"),
    ("manual", {"first_start": "05:59"}, "first_start: 05:59 lies before the stage's start"),
    ("manual", {"bands": [{"from": 2, "interval_seconds": 60}]}, "bands: .* one must begin at 1"),
    ("manual", {"bands": [{"from": 1}]}, r"bands\[0\].interval_seconds: -1 is no whole number"),
    ("manual", {"bands": [{"from": 1, "interval_seconds": 60, "together": 0}]}, r"bands\[0\].together: 0"),
    ("manual", {"blocks": [MOTO]}, "blocks: C-1: in no block"),
    ("manual", {"blocks": [MOTO, CAR | {"classes": ["C-1", "T-9"]}]}, "blocks: T-9: no class of this event"),
    ("manual", {"blocks": [MOTO, CAR | {"classes": ["C-1", "M-1"]}]}, "blocks: M-1: in two blocks"),
    ("manual", {"blocks": [MOTO, CAR | {"name": "moto"}]}, "blocks: moto: a name that two blocks have"),
    ("manual", {"blocks": [{"classes": ["C-1"]}]}, r"blocks\[0\].name: missing"),
    ("manual", {"blocks": [MOTO | {"gap": 5}, CAR]}, r"blocks\[0\].gap: unknown"),
    ("manual", {"blocks": [MOTO | {"gap_seconds": -5}, CAR]}, r"blocks\[0\].gap_seconds: -5"),
    ("manual", {"segments": [{"after_seconds": 5}]}, r"segments\[0\].sort_order: -1 is no"),
]


@pytest.mark.parametrize(("strategy", "params", "message"), WRONG)
def test_what_is_wrong_is_named(strategy: str, params: Any, message: str) -> None:
    with pytest.raises(StartOrderError, match=message):
        read_settings(params, replace(FACTS, strategy=strategy))
