"""What holds for every table of rules and every drive."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.penalties.domain.evaluate import EVALUATORS, evaluate
from apps.penalties.domain.explain import explain
from apps.penalties.domain.formulas import Formula
from apps.penalties.domain.registry import (
    Before,
    Incident,
    LatePassage,
    NeutralStay,
    Offences,
    SegmentDrive,
    StartDrive,
    TimeCheck,
    ZoneDrive,
)
from apps.penalties.tests.domain.build import MINUTE
from apps.timing.domain.zone_intervals import ZoneInterval
from apps.timing.tests.domain.build import T0, at, steady, waypoint

TARGETS = {
    "missed_waypoint": ["WPM", "PC"],
    "closed_control": ["WPM", "PC"],
    "time_control": ["early", "late", "otl"],
    "maximum_time": ["special", "liaison"],
    "incident": ["litter"],
    "speed_zone": ["z0"],
}
PARAMS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "speed_zone": {"repeat": st.just([1, 2]), "cap_ms": st.integers(0, MINUTE), "min_fixes": st.integers(1, 3)},
    "time_control": {"max_late_minutes": st.integers(0, 30), "gps_counts": st.booleans()},
    "neutralisation": {"flat_ms": st.integers(0, MINUTE), "give_back": st.booleans()},
    "dnf_lump": {"add_maximum": st.booleans(), "stage_penalty_ms": st.integers(0, MINUTE)},
    "dns_lump": {"add_maximum": st.booleans(), "allowed": st.none() | st.integers(0, 2)},
    "false_start": {"add_value": st.booleans()},
    "late_start": {"limit_minutes": st.integers(0, 30)},
}
instants = st.integers(-60 * MINUTE, 60 * MINUTE).map(lambda ms: T0 + ms)
counts = st.dictionaries(
    st.sampled_from(["speed_zone", "dns", "fixed_penalty", "litter", "false_start"]), st.integers(0, 4)
)


@st.composite
def formulas(draw: st.DrawFn) -> list[Formula]:
    """Rows of any evaluator, target, class and bracket."""
    return [draw(_rows(i)) for i in range(draw(st.integers(0, 20)))]


@st.composite
def _rows(draw: st.DrawFn, number: int) -> Formula:
    kind = draw(st.sampled_from(sorted(EVALUATORS)))
    low = draw(st.integers(0, 40))
    return Formula(
        id=f"f{number}",
        type=kind,
        target=draw(st.sampled_from(["", *TARGETS.get(kind, [])])),
        race_class=draw(st.sampled_from(["", "C-2", "M-1"])),
        offence_min=low,
        offence_max=draw(st.none() | st.integers(low, 100)),
        penalty_ms=draw(st.integers(0, 60 * MINUTE)),
        mode=draw(st.sampled_from(sorted(EVALUATORS[kind].terms.modes))),
        params=draw(st.fixed_dictionaries({}, optional=PARAMS.get(kind, {}))),
    )


def several(build: Callable[..., Any], *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Up to three, built from their number and the parts."""
    rows = st.lists(st.tuples(*parts), max_size=3)
    return rows.map(lambda found: tuple(build(i, *values) for i, values in enumerate(found)))


def zone_drive(number: int, speeds: list[int]) -> ZoneDrive:
    """Zone z0, z1… driven at these speeds."""
    interval = ZoneInterval(at(0), at(1000))
    return ZoneDrive(f"z{number}", "ss", 50, 0.0, (interval,), (steady([float(s) for s in speeds]),))


small = st.integers(0, 60 * MINUTE)
drives = st.builds(
    Offences,
    race_class=st.sampled_from(["C-2", "M-1"]),
    missed=several(waypoint, st.sampled_from(["WPM", "PC"])),
    validated=st.integers(0, 3),
    total=st.integers(0, 4),
    finished=st.booleans(),
    zones=several(zone_drive, st.lists(st.integers(30, 150), max_size=30)),
    late=several(lambda i, a, b: LatePassage(waypoint(i, "PC"), a, b), instants, instants),
    checks=several(
        lambda i, a, b, s: TimeCheck("l", f"c{i}", a, b, s), instants, instants, st.sampled_from(["gps", "card"])
    ),
    starts=several(lambda i, a, b: StartDrive(f"s{i}", a, b), instants, instants),
    neutral=several(lambda i, a, b, ms: NeutralStay(f"n{i}", a, b, ms), instants, instants, small),
    segments=several(
        lambda i, sp, a, b: SegmentDrive(f"d{i}", sp, a, b, True), st.booleans(), st.none() | small, small
    ),
    incidents=several(
        lambda i, kind, ts, ms: Incident(f"i{i}", kind, ts, ms),
        st.sampled_from(["litter", "false_start"]), instants, st.integers(-MINUTE, MINUTE),
    ),
    before=st.builds(Before, event=counts, leg=counts),
    status=st.sampled_from(["", "dnf", "dns", "otl"]),
    maximum_ms=st.none() | small,
)  # fmt: skip


@given(drives, formulas(), st.randoms(use_true_random=False))
def test_penalties_are_a_function_of_the_set_of_rules(
    offences: Offences, rows: list[Formula], luck: random.Random
) -> None:
    """The order of formulas does not matter, no penalty is negative, keys are unique, all of it is JSON and words."""
    issued = evaluate(offences, rows)
    shuffled = list(rows)
    luck.shuffle(shuffled)
    assert evaluate(offences, shuffled) == issued
    assert all(penalty.ms >= 0 for penalty in issued)
    assert len({penalty.key for penalty in issued}) == len(issued)
    for penalty in issued:
        json.dumps(penalty.to_json())
        assert "(unknown)" not in explain(penalty)


@given(drives, formulas())
def test_the_order_of_what_happened_does_not_matter(offences: Offences, rows: list[Formula]) -> None:
    """Incidents, zones and checks come from tables: their order is nobody's evidence."""
    turned: dict[str, Any] = {
        name: getattr(offences, name)[::-1]
        for name in ("zones", "late", "checks", "starts", "neutral", "segments", "incidents")
    }
    assert evaluate(replace(offences, **turned), rows) == evaluate(offences, rows)
