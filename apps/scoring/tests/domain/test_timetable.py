"""Controls due by a timetable: standard time + how much later the crew starts than the stage (rulebook 4.1)."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from apps.penalties.domain.decisions import Decision, overlay
from apps.penalties.domain.explain import explain
from apps.penalties.domain.formulas import Formula
from apps.scoring.domain.outcome import StageOutcome
from apps.scoring.domain.readings import Evidence
from apps.scoring.domain.stage import score_stage
from apps.timing.domain.marks import Mark, Source
from apps.timing.domain.plan import SegmentPlan, SegmentType
from apps.timing.tests.domain.build import T0, at, cut, gate, special, stage, steady

MINUTE = 60_000
# A crew that starts with the stage, at 6:00, is due at TC1 at 6:20 and at TC2 at 7:30.
OUT, IN = (
    SegmentPlan(name, SegmentType.LIAISON, order, gate(begin), gate(end), target_ms=None, scheduled_ts=at(due * 60))
    for name, order, begin, end, due in (("out", 0, "tc0", "tc1", 20), ("in", 2, "finish", "tc2", 90))
)
PLAN = stage(OUT, special(), IN)
RULES = [
    Formula("e", "time_control", "early", penalty_ms=MINUTE, mode="marginal", params={"max_late_minutes": 30}),
    Formula("l", "time_control", "late", penalty_ms=10_000, mode="marginal"),
]
ROUND = [cut("tc0", 300), cut("start", 1500), cut("finish", 3000)]


def card(control: str, minutes: float) -> Mark:
    """What the time card says, minutes after 6:00."""
    return Mark(f"{control}{minutes}", control, at(minutes * 60), Source.CARD)


def score(*marks: Mark, start_minutes: float | None = 5, **fields: object) -> StageOutcome:
    """A crew that is to start five minutes after the stage, so is due at 6:25 and 7:35."""
    assigned = {} if start_minutes is None else {"out": at(start_minutes * 60)}
    evidence = Evidence("e", "C-2", tuple(ROUND), steady([]), assigned, marks=marks)
    return score_stage(PLAN, RULES, replace(evidence, **fields))  # type: ignore[arg-type]


def priced(outcome: StageOutcome) -> list[tuple[str, str, int]]:
    return [(p.inputs["control"], p.inputs["case"], p.ms // 1000) for p in outcome.penalties]


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (25, 95, []),
        (25.99, 95.99, []),
        (23.99, 95, [("tc1", "early", 120)]),
        (28, 95, [("tc1", "late", 30)]),
        (55, 95, [("tc1", "late", 300)]),
        (56, 95, [("tc1", "otl", 0)]),
        (28, 98, [("tc2", "late", 30), ("tc1", "late", 30)]),  # the timetable does not wait for who is late
    ],
)
def test_worked_example_1_by_the_timetable(first: float, second: float, wanted: list[tuple[str, str, int]]) -> None:
    """Early and late are priced as by target times; the departure does not move what is due."""
    assert priced(score(card("tc1", first), card("tc2", second))) == wanted


@pytest.mark.parametrize(("start", "due"), [(0, at(20 * 60)), (5, at(25 * 60)), (5.5, at(25 * 60)), (60, at(80 * 60))])
def test_who_starts_later_is_due_as_much_later(start: float, due: int) -> None:
    """By the whole minute, whatever the interval: pairs and bands of the start list need no rule of their own."""
    (early,) = (p for p in score(card("tc1", 10), card("tc2", 90 + start), start_minutes=start).penalties)
    assert early.inputs["due_ts"] == due and due >= T0
    assert early.inputs["scheduled"] is True


def test_without_a_start_time_nobody_is_due_by_a_timetable() -> None:
    assert priced(score(card("tc1", 300), start_minutes=None)) == []


def test_a_control_that_was_not_visited_is_missed_once_the_crew_is_seen_further_on() -> None:
    rules = [*RULES, Formula("o", "time_control", "otl", penalty_ms=30 * MINUTE, params={"status": ""})]
    evidence = Evidence("e", "C-2", tuple(ROUND), steady([]), {"out": at(300)}, marks=(card("tc2", 95),))
    assert priced(score_stage(PLAN, rules, evidence)) == [("tc1", "missed", 1800)]


@pytest.mark.parametrize(("crossings", "controls"), [((), []), ((cut("tc0", 300),), ["tc2", "tc1"])])
def test_who_did_not_come_at_all_missed_no_control(crossings: Sequence[object], controls: list[str]) -> None:
    """Nor did who was taken out miss one before it was seen."""
    word = overlay([Decision("d", 1, "set_status", {"status": "dnf"})])
    outcome = score(crossings=tuple(crossings), overlay=word)
    assert [(control, case) for control, case, _ in priced(outcome)] == [(c, "missed") for c in controls]


def test_a_delay_that_was_allowed_in_writing_counts() -> None:
    """MSUK 10.1d, as by target times."""
    given = overlay([Decision("d", 1, "time_credit", {"segment": "out", "ms": 3 * MINUTE})])
    assert priced(score(card("tc1", 28), card("tc2", 95), overlay=given)) == []


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_records_does_not_matter(seed: int) -> None:
    rng = random.Random(seed)
    marks = [card("tc1", 28), card("tc1", 31), card("tc2", 93)]
    mixed = score(*rng.sample(marks, 3), crossings=tuple(rng.sample(ROUND, 3)))
    assert mixed == score(*marks), f"seed {seed}"


def test_it_is_read_out_as_scheduled() -> None:
    text = explain(score(card("tc1", 28), card("tc2", 95)).penalties[0])
    assert text.startswith("Time control: the crew checked in at tc1 at 06:28:00, 3 min late; due 06:25:00.")
    assert "scheduled yes" in text
