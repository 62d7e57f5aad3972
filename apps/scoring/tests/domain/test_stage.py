"""A stage scored from evidence, end to end in the pure domain."""

import hashlib
import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.course.domain.crossings import Crossing
from apps.course.domain.fixes import Fixes
from apps.penalties.domain.decisions import Overlay
from apps.penalties.domain.formulas import Formula
from apps.scoring.domain.outcome import StageOutcome, _canonical_crossing, canonical, stage_line
from apps.scoring.domain.readings import Evidence
from apps.scoring.domain.stage import score_stage
from apps.scoring.domain.status import Status
from apps.timing.domain.plan import SegmentPlan, SegmentType, SpeedZonePlan, StagePlan
from apps.timing.tests.domain.build import at, cut, gate, special, stage, stay, steady, waypoint

MINUTE = 60_000
ZONE = SpeedZonePlan("z", 50, dz="dz", fz="fz", class_limits={"M-1": 70})
PLAN = stage(
    SegmentPlan("li", SegmentType.LIAISON, 0, gate("out"), gate("start")),
    special(waypoints=(waypoint(1), waypoint(2), waypoint(3)), zones=(ZONE,)),
)
RULES = [
    Formula("wp", "missed_waypoint", penalty_ms=15 * MINUTE, article="80.11.5"),
    Formula("sz", "speed_zone", offence_min=1, penalty_ms=2 * MINUTE, applies_to=frozenset({"overall"})),
    Formula("ratio", "waypoint_ratio", offence_max=50),
]
LIAISON = [cut("out", 1), cut("start", 10)]
ZONE_DRIVEN = [*stay("dz", 30, 40), *stay("fz", 60, 70)]
FULL = [
    *LIAISON,
    *stay("w1", 20, 25),
    *ZONE_DRIVEN,
    *stay("w2", 80, 85),
    *stay("w3", 90, 95),
    cut("finish", 110.9),
]
SPEEDING = steady([45.0] * 45 + [63.0] * 10 + [45.0] * 60)


def score(crossings: list[Crossing], plan: StagePlan = PLAN, **changes: object) -> StageOutcome:
    """The outcome of entry `e` of class C-2 with these crossings."""
    fields: dict[str, object] = {
        "entry": "e",
        "race_class": "C-2",
        "crossings": tuple(crossings),
        "fixes": steady([]),
    }
    return score_stage(plan, RULES, Evidence(**(fields | changes)))  # type: ignore[arg-type]


def without(*controls: str) -> list[Crossing]:
    """The full drive without some controls."""
    return [c for c in FULL if c.control not in controls]


def test_the_hash_is_of_canonical_json() -> None:
    """Hashes of published results are held against it: however it is made, it is the sha256 of this text."""
    outcome = score(FULL)
    crossings = [
        {
            "control": c.control, "direction": c.direction.value, "ts": c.ts,
            "before_ts": c.before_ts, "after_ts": c.after_ts, "occurrence": c.occurrence,
        }
        for c in FULL
    ]  # fmt: skip
    content = {"outcome": outcome.to_json(), "crossings": sorted(crossings, key=canonical)}
    assert outcome.inputs_hash == hashlib.sha256(canonical(content).encode()).hexdigest()
    odd = replace(FULL[0], control='Çë "1" \\')
    assert json.loads(_canonical_crossing(odd))["control"] == odd.control
    assert _canonical_crossing(odd) == canonical(json.loads(_canonical_crossing(odd)))


def test_a_clean_drive() -> None:
    """Finish − start, truncated; no penalty, all waypoints."""
    outcome = score(FULL)
    assert outcome.status is Status.FINISHED
    assert (outcome.time_ms, outcome.penalty_ms, outcome.total_ms) == (100_000, 0, 100_000)
    assert (outcome.validated, outcome.missed, outcome.penalties) == (3, (), ())
    assert (outcome.last_control, outcome.last_ts) == ("finish", at(110.9))
    assert outcome.splits == (100_000,)
    assert outcome.conflicts == ()
    assert [s.net_ms for s in outcome.segments] == [9000, 100_000]


def test_no_crossing_is_registered_whatever_is_assigned() -> None:
    """An assigned start is no evidence of starting."""
    outcome = score([], assigned_starts={"ss": at(10)})
    assert (outcome.status, outcome.time_ms, outcome.last_ts) == (Status.REGISTERED, None, None)


def test_running_has_no_total_and_misses_only_what_was_skipped() -> None:
    """w1 was skipped for w2; w3 is still ahead."""
    outcome = score(without("w1", "w3", "finish"))
    assert outcome.status is Status.RUNNING
    assert (outcome.time_ms, outcome.total_ms) == (None, None)
    assert outcome.missed == ("w1",)
    assert outcome.penalty_ms == 15 * MINUTE


def test_partial_times_of_a_stage_with_two_special_stages() -> None:
    """time_ms of what is finished, total_ms only when all is."""
    plan = stage(special(id="a", order=1), special(id="b", order=2, start=gate("start2"), finish=gate("finish2")))
    first = [cut("start", 0), cut("finish", 50), cut("start2", 60)]
    outcome = score(first, plan)
    assert (outcome.status, outcome.time_ms, outcome.total_ms) == (Status.RUNNING, 50_000, None)
    outcome = score([*first, cut("finish2", 100)], plan)
    assert (outcome.status, outcome.total_ms, outcome.splits) == (Status.FINISHED, 90_000, (50_000, 40_000))


def test_a_stage_without_special_stages_finishes_with_its_segments() -> None:
    """A pure liaison day has a total of nothing but penalties."""
    plan = replace(PLAN, segments=PLAN.segments[:1])
    assert score(LIAISON[:1], plan).status is Status.RUNNING
    outcome = score(LIAISON, plan)
    assert (outcome.status, outcome.total_ms) == (Status.FINISHED, 0)


def test_speeding_in_the_zone_touches_only_what_the_formula_says() -> None:
    """6.3: overall only: the stage total stays, the event counts it."""
    outcome = score(FULL, fixes=SPEEDING)
    (penalty,) = outcome.penalties
    assert (penalty.target, penalty.inputs["excess_kmh"]) == ("z", 13)
    assert (outcome.penalty_ms, outcome.overall_penalty_ms) == (0, 2 * MINUTE)
    assert outcome.total_ms == 100_000
    assert stage_line(outcome, 301, "C-2").overall_extra_ms == 2 * MINUTE


def test_class_limits() -> None:
    """3.1: 63 km/h is legal where the class may drive 70."""
    assert score(FULL, fixes=SPEEDING, race_class="M-1").penalties == ()


def test_a_zone_still_being_driven_is_judged() -> None:
    """Live: the FZ is not reached yet."""
    outcome = score(without("fz", "w2", "w3", "finish"), fixes=SPEEDING)
    assert outcome.status is Status.RUNNING
    (penalty,) = [p for p in outcome.penalties if p.type == "speed_zone"]
    assert (penalty.ms, penalty.inputs["review"]) == (2 * MINUTE, [])


def test_where_zones_overlap_the_lower_limit_wins() -> None:
    """3.6: in the village of 30 inside the zone of 50 the crew is judged once, by 30."""
    village = SpeedZonePlan("v", 30, polygon="village")
    plan = stage(special(zones=(ZONE, village)))
    crossings = [*LIAISON, *ZONE_DRIVEN, *stay("village", 44, 56)]
    speeds = [29.0] * 45 + [63.0] * 10 + [29.0] * 60
    outcome = score(crossings, plan, fixes=steady(speeds))
    assert [(p.target, p.inputs["excess_kmh"]) for p in outcome.penalties] == [("v", 33)]


def test_the_zone_is_judged_by_the_lowest_device_with_fixes_in_it() -> None:
    """The second tracker's speeding counts only where the first was silent; else it is an alarm."""
    both = _joined(steady([45.0] * 115), replace_device(SPEEDING, 1))
    (alarm,) = score(FULL, fixes=both).penalties
    assert (alarm.ms, alarm.inputs["review"]) == (0, ["tracker 2 differs: 13 km/h over, not 0"])
    assert len(score(FULL, fixes=replace_device(SPEEDING, 1)).penalties) == 1


def replace_device(fixes: Fixes, device: int) -> Fixes:
    """The same fixes from another device."""
    return Fixes.build(np.full(len(fixes), device), fixes.ts, fixes.lat, fixes.lon, fixes.speed)


def _joined(*parts: Fixes) -> Fixes:
    names = ("device", "ts", "lat", "lon", "speed")
    return Fixes.build(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@pytest.mark.parametrize(("metres", "excess"), [(50, None), (100, 20), (750, None)])
def test_worked_example_3b_margins(metres: float, excess: int | None) -> None:
    """DZ at 0 m, FZ at 800 m, circles of 90 m: 70 km/h counts only between 90 m and 710 m."""
    slow_ms = 10.0  # 36 km/h
    seconds = [metres_ / slow_ms for metres_ in (-90, 90, 710, 890)]
    offset = 20.0
    crossings = [
        *LIAISON,
        *stay("dz", offset + seconds[0], offset + seconds[1]),
        *stay("fz", offset + seconds[2], offset + seconds[3]),
    ]
    speeds = [36.0] * 130
    fast = int(offset + metres / slow_ms)
    speeds[fast] = speeds[fast + 1] = 70.0
    outcome = score(crossings, fixes=steady(speeds))
    found = [p.inputs["excess_kmh"] for p in outcome.penalties if p.type == "speed_zone"]
    assert found == ([] if excess is None else [excess])


def test_a_waived_penalty_stays_visible_and_does_not_count() -> None:
    """Decisions are overlays: nothing is erased."""
    outcome = score(without("w1"), overlay=Overlay(waived=frozenset({"missed_waypoint:w1"})))
    assert [p.key for p in outcome.penalties] == ["missed_waypoint:w1"]
    assert outcome.waived == ("missed_waypoint:w1",)
    assert outcome.total_ms == outcome.time_ms


def test_too_few_waypoints_are_a_dnf_unless_waived() -> None:
    """Worked example 5, the share rule, with a minimum of 50 %: 1 of 3."""
    crossings = without("w1", "w2")
    outcome = score(crossings)
    assert (outcome.status, outcome.total_ms) == (Status.DNF, None)
    waived = score(crossings, overlay=Overlay(waived=frozenset({"waypoint_ratio:"})))
    assert waived.status is Status.FINISHED


@pytest.mark.parametrize(
    ("word", "conflicts"),
    [
        ("dns", ("decided dns, but the evidence shows finished",)),
        ("dnf", ("decided dnf, but the evidence shows finished",)),
        ("dsq", ()),
        ("nc", ()),
    ],
)
def test_an_officials_word_overrides_and_contradictions_are_noted(word: str, conflicts: tuple[str, ...]) -> None:
    """The times stay readable, the total goes."""
    outcome = score(FULL, status=word)
    assert (outcome.status, outcome.total_ms, outcome.time_ms) == (Status(word), None, 100_000)
    assert outcome.conflicts == conflicts


def test_a_lost_start_is_noted() -> None:
    """A gap over the start line: no time is invented, the officials are told."""
    outcome = score(without("start"))
    assert (outcome.status, outcome.time_ms) == (Status.RUNNING, None)
    assert outcome.conflicts == ("ss: driven, but its start was not crossed",)


def test_the_hash_depends_on_evidence_and_not_on_its_order_or_device_codes() -> None:
    """Design §4: the same evidence always gives the same hash."""
    seed = random.randrange(2**32)
    reference = score(FULL).inputs_hash
    shuffled = list(FULL)
    random.Random(seed).shuffle(shuffled)
    assert score(shuffled).inputs_hash == reference, f"seed {seed}"
    assert score([replace(c, device=4) for c in FULL]).inputs_hash == reference
    assert score([replace(c, after_ts=c.after_ts + 1) for c in FULL]).inputs_hash != reference
    assert score([replace(c, fraction=0.5 + 1e-12) for c in FULL]).inputs_hash == reference  # another machine's sine
    assert score([*FULL, cut("elsewhere", 50)]).inputs_hash == reference


@given(st.permutations(FULL), st.sets(st.integers(0, len(FULL) - 1)))
def test_outcome_is_a_function_of_the_set_of_crossings(order: list[Crossing], dropped: set[int]) -> None:
    """Whatever was lost, the order of what is left does not matter."""
    kept = [c for i, c in enumerate(FULL) if i not in dropped]
    assert score([c for c in order if c in kept]) == score(kept)


@given(st.sets(st.integers(0, len(FULL) - 1)), st.data())
def test_waiving_never_worsens_a_total(dropped: set[int], data: st.DataObject) -> None:
    """Removing a penalty takes time off or changes nothing."""
    kept = [c for i, c in enumerate(FULL) if i not in dropped]
    fined = score(kept, fixes=SPEEDING)
    keys = sorted(penalty.key for penalty in fined.penalties)
    waived = data.draw(st.sets(st.sampled_from(keys))) if keys else set()
    freed = score(kept, fixes=SPEEDING, overlay=Overlay(waived=frozenset(waived)))
    assert freed.penalty_ms <= fined.penalty_ms
    assert freed.overall_penalty_ms <= fined.overall_penalty_ms
    assert fined.total_ms is None or (freed.total_ms or 0) <= fined.total_ms
