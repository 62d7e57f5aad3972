"""The settings of a table of speeds (rulebook 3.2, 3.3, 3.5; worked examples 3 and 4)."""

from dataclasses import replace
from typing import Any

import pytest

from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.domain.registry import Before, Offences, ZoneDrive
from apps.penalties.tests.domain.build import MINUTE, example_3, speed_table
from apps.timing.domain.zone_intervals import ZoneInterval
from apps.timing.tests.domain.build import at, steady

EXAMPLE_3 = ((1, 20, MINUTE), (21, 40, 2 * MINUTE))


def settled(*rows: tuple[float, float | None, int], mode: str = "flat_max", **params: Any) -> list[Formula]:
    """A table with its settings on the highest row alone: they hold for all of it."""
    table = speed_table(*rows, mode=mode)
    last = table[-1]
    told = Formula(
        last.id,
        last.type,
        offence_min=last.offence_min,
        offence_max=last.offence_max,
        penalty_ms=last.penalty_ms,
        mode=mode,
        params=params,
    )
    return [*table[:-1], told]


def zones(*drives: list[float], before: Before | None = None, limit: float = 50) -> Offences:
    """Zones z0, z1… driven one after the other at these speeds, all in the same minute of the clock."""
    interval = ZoneInterval(at(0), at(1000))
    plans = [ZoneDrive(f"z{i}", "ss", limit, 0.0, (interval,), (steady(speeds),)) for i, speeds in enumerate(drives)]
    return Offences("C-2", zones=tuple(plans), before=before or Before())


def only(offences: Offences, table: list[Formula]) -> Issued:
    """The one penalty of the offences."""
    (penalty,) = evaluate(offences, table)
    return penalty


@pytest.mark.parametrize(
    ("first_pulse", "pulses", "per_impulse", "whole"), [("onset", [4, 2], 8, 12), ("after_interval", [3, 1], 5, 8)]
)
def test_worked_example_3_first_pulse(first_pulse: str, pulses: list[int], per_impulse: int, whole: int) -> None:
    """Whether the onset is a pulse: 4 and 2, or 3 and 1, in every mode that counts them."""
    driven = zones(list(example_3()))
    counted = only(driven, settled(*EXAMPLE_3, mode="per_impulse", first_pulse=first_pulse))
    excesses = [excess for _, excess in counted.inputs["pulses"]]
    assert [excesses.count(15), excesses.count(25)] == pulses
    assert counted.ms == per_impulse * MINUTE
    assert only(driven, settled(*EXAMPLE_3, mode="whole", first_pulse=first_pulse)).ms == whole * MINUTE
    assert only(driven, settled(*EXAMPLE_3, first_pulse=first_pulse)).ms == 2 * MINUTE


@pytest.mark.parametrize(("first_pulse", "count"), [("onset", 3), ("after_interval", 2)])
def test_worked_example_3_clock_driven_pulses(first_pulse: str, count: int) -> None:
    """36 km/h for 25 s in a 30 zone: the clock fires before the distance."""
    driven = zones([36.0] * 25 + [20.0], limit=30)
    table = settled((1, None, MINUTE), mode="per_impulse", first_pulse=first_pulse)
    assert only(driven, table).ms == count * MINUTE


def test_pulses_by_distance_alone() -> None:
    """Dakar 2017: each 150 m, no clock; 250 m at 36 km/h give the onset and one more."""
    table = settled((1, None, MINUTE), mode="per_impulse", pulse_ms=0)
    assert only(zones([36.0] * 25 + [20.0], limit=30), table).ms == 2 * MINUTE


def test_pulses_of_neither_kind_leave_the_onset() -> None:
    """No distance and no clock: one pulse a run."""
    table = settled((1, None, MINUTE), mode="per_impulse", pulse_ms=0, pulse_m=0)
    assert only(zones(list(example_3())), table).ms == 2 * MINUTE


def test_worked_example_4_liaison_speeding_touches_the_overall_alone() -> None:
    """FIA25-2: the stage stays won, the overall changes by two minutes."""
    rows = [Formula("l", "speed_zone", offence_min=11, penalty_ms=2 * MINUTE, applies_to=frozenset({"overall"}))]
    penalty = only(zones([61.0] * 3), rows)
    assert (penalty.ms, penalty.applies_to) == (2 * MINUTE, frozenset({"overall"}))


FAST, SLOW = [60.0] * 3, [40.0] * 3


def test_repeated_infringements_of_a_stage_are_multiplied() -> None:
    """FIM 2023: a coefficient for a repeated offence; the last one holds on; legal zones are not counted."""
    issued = evaluate(zones(FAST, SLOW, FAST, FAST, FAST), settled((1, 20, MINUTE), repeat=(1, 2, 3.5)))
    assert [(p.target, p.ms) for p in issued] == [
        ("z0", MINUTE),
        ("z2", 2 * MINUTE),
        ("z3", 210_000),
        ("z4", 210_000),
    ]


def test_a_waived_infringement_is_no_repetition() -> None:
    """Within a stage as over the event: the next one is the first, and the waived one keeps its price."""
    offences = replace(zones(FAST, FAST, FAST), waived=frozenset({"speed_zone:z0"}))
    issued = evaluate(offences, settled((1, 20, MINUTE), repeat=(1, 2)))
    assert {p.target: p.ms for p in issued} == {"z0": MINUTE, "z1": MINUTE, "z2": 2 * MINUTE}


@pytest.mark.parametrize(("scope", "factor"), [("stage", 1), ("leg", 2), ("event", 3)])
def test_the_scope_of_repetition(scope: str, factor: int) -> None:
    """One infringement earlier in the leg, two in the event."""
    before = Before(event={"speed_zone": 2}, leg={"speed_zone": 1})
    penalty = only(zones(FAST, before=before), settled((1, 20, MINUTE), repeat=(1, 2, 3), scope=scope))
    assert penalty.ms == factor * MINUTE


def test_infringements_are_numbered_by_time() -> None:
    """The zone driven first is the first, whatever its name."""
    later = steady([40.0] * 5 + FAST)
    interval = ZoneInterval(at(0), at(1000))
    first = ZoneDrive("z", "ss", 50, 0.0, (interval,), (steady(FAST),))
    second = ZoneDrive("a", "ss", 50, 0.0, (interval,), (later,))
    issued = evaluate(Offences("C-2", zones=(second, first)), settled((1, 20, MINUTE), repeat=(1, 2)))
    assert {p.target: p.ms for p in issued} == {"z": MINUTE, "a": 2 * MINUTE}


def test_what_only_calls_for_a_look_is_no_repetition() -> None:
    """A single fix over the limit is counted on another account."""
    look = only(zones([40.0, 90.0, 40.0]), settled(*EXAMPLE_3))
    assert look.ms == 0
    assert look.counts_as != "speed_zone"
    assert only(zones(FAST), settled(*EXAMPLE_3)).counts_as == "speed_zone"


def test_a_cap_is_the_most() -> None:
    """3.5: the minimum of P · k and the cap."""
    table = settled(*EXAMPLE_3, mode="whole", cap_ms=5 * MINUTE, repeat=(2,))
    penalty = only(zones(list(example_3())), table)
    assert penalty.ms == 5 * MINUTE
    assert penalty.inputs["arithmetic"].endswith("capped at 0:05:00")


@pytest.mark.parametrize(("rounding", "ms"), [("floor", MINUTE), ("ceil", 2 * MINUTE)])
def test_rounding_chooses_the_bracket(rounding: str, ms: int) -> None:
    """20.4 over is 20 or 21."""
    assert only(zones([70.4] * 3), settled(*EXAMPLE_3, rounding=rounding)).ms == ms


def test_ceil_leaves_the_limit_legal() -> None:
    """Exactly 50 in a 50 zone is no offence in either."""
    assert evaluate(zones([50.0] * 3), settled(*EXAMPLE_3, rounding="ceil")) == ()


@pytest.mark.parametrize(("min_fixes", "ms"), [(1, MINUTE), (3, MINUTE), (4, 0)])
def test_how_many_fixes_make_an_infringement(min_fixes: int, ms: int) -> None:
    """3.6: fewer are shown for review."""
    assert only(zones([*SLOW, *FAST, *SLOW]), settled(*EXAMPLE_3, min_fixes=min_fixes)).ms == ms


def test_a_fine_is_told() -> None:
    """3.5: add fine if any; it is no time."""
    assert only(zones(FAST), settled(*EXAMPLE_3, fine="100 EUR")).inputs["fine"] == "100 EUR"
