"""Who needs help and who does not: tables of cases."""

from dataclasses import replace
from typing import Any

import pytest

from apps.safety.domain.watch import (
    Crew,
    Fix,
    Kind,
    Limits,
    Place,
    Severity,
    Tracker,
    is_over,
    judge,
    signals,
    stands,
)

MINUTE = 60_000
NOW = 1_780_783_200_000 + 30_000  # 2026-06-07T00:00:30 in Tirane: half a minute after midnight there
HERE, DEAD = Place(41.3, 19.8), Place(41.31, 19.8)
LIMITS = Limits()


def tracker(age: int = 1000, standing: int = 0, late: int = 500, place: Place | None = HERE, **more: Any) -> Tracker:
    """A tracker whose last fix is `age` ms old, arrived `late` ms later and stands since `standing` ms."""
    ts = NOW - age
    return Tracker(Fix(ts, ts + late, place), ts - standing, **more)


INSIDE = Crew("e", "special-stage", "s", began=NOW - 60 * MINUTE, due=NOW + 60 * MINUTE, trackers=(tracker(),))
THREE = 3 * MINUTE


@pytest.mark.parametrize(
    ("name", "crew", "expected"),
    [
        ("under way", INSIDE, []),
        ("three minutes, over midnight", replace(INSIDE, trackers=(tracker(standing=THREE),)), ["stopped"]),
        ("a ms less", replace(INSIDE, trackers=(tracker(standing=THREE - 1),)), []),
        ("on a liaison", replace(INSIDE, segment_type="liaison", trackers=(tracker(standing=THREE),)), []),
        ("in service", replace(INSIDE, segment_type="service", trackers=(tracker(standing=THREE),)), []),
        ("in a neutralisation", replace(INSIDE, neutralised=True, trackers=(tracker(standing=THREE),)), []),
        ("on no stage", Crew("e", trackers=(tracker(standing=THREE),)), []),
        ("waited at the start", replace(INSIDE, began=NOW - MINUTE, trackers=(tracker(standing=THREE),)), []),
        ("one of two moves", replace(INSIDE, trackers=(tracker(standing=THREE), tracker(standing=0))), []),
        ("both stand", replace(INSIDE, trackers=(tracker(standing=THREE), tracker(standing=THREE))), ["stopped"]),
        (
            "the pilot walks about",
            replace(INSIDE, trackers=(tracker(standing=THREE), tracker(standing=0, worn=True))),
            ["stopped"],
        ),
        (
            "one of two is dead, the other moves",
            replace(INSIDE, trackers=(tracker(age=20 * MINUTE, standing=THREE), tracker())),
            [],
        ),
        ("silent", replace(INSIDE, trackers=(tracker(age=10 * MINUTE + 1),)), ["silent"]),
        ("silent, and stood before", replace(INSIDE, trackers=(tracker(11 * MINUTE, standing=THREE),)), ["silent"]),
        ("not yet silent", replace(INSIDE, trackers=(tracker(age=10 * MINUTE),)), []),
        ("never heard", replace(INSIDE, trackers=()), ["silent"]),
        ("never heard, just started", replace(INSIDE, began=NOW - MINUTE, trackers=()), []),
        ("a late burst", replace(INSIDE, trackers=(tracker(age=2 * MINUTE, late=118_000),)), []),
        ("overdue", replace(INSIDE, due=NOW - 1), ["overdue"]),
        ("on the minute", replace(INSIDE, due=NOW), []),
        ("nobody knows when", replace(INSIDE, due=None), []),
        ("overdue on a liaison", replace(INSIDE, segment_type="liaison", due=NOW - 1), []),
    ],
)
def test_a_crew_is_judged(name: str, crew: Crew, expected: list[str]) -> None:
    assert [finding.kind.value for finding in judge(crew, NOW, LIMITS)] == expected


@pytest.mark.parametrize(
    ("tracker_", "dead", "severity"),
    [
        (tracker(age=11 * MINUTE), (), Severity.WARNING),
        (tracker(age=11 * MINUTE, signal=4), (), Severity.WARNING),
        (tracker(age=11 * MINUTE, signal=1), (), Severity.NOTICE),
        (tracker(age=11 * MINUTE, late=30_001), (), Severity.NOTICE),
        (tracker(age=11 * MINUTE), (DEAD,), Severity.NOTICE),
        (tracker(age=11 * MINUTE), (Place(41.4, 19.8),), Severity.WARNING),
        (tracker(age=31 * MINUTE, signal=1), (DEAD,), Severity.WARNING),
    ],
)
def test_silence_without_coverage_is_told_apart(tracker_: Tracker, dead: tuple[Place, ...], severity: int) -> None:
    (found,) = judge(replace(INSIDE, trackers=(tracker_,)), NOW, LIMITS, dead)
    assert (found.kind, found.severity) == (Kind.SILENT, severity)


def test_an_event_says_where_it_watches() -> None:
    standing = replace(INSIDE, segment_type="liaison", trackers=(tracker(standing=THREE),))
    assert judge(standing, NOW, replace(LIMITS, watched=frozenset({"liaison"})))
    assert not judge(replace(standing, segment_type="special-stage"), NOW, replace(LIMITS, watched=frozenset()))


@pytest.mark.parametrize(
    ("priority", "decoded", "expected"),
    [
        (0, {}, {}),
        (1, {"ignition": True}, {}),
        (2, {}, {Kind.PANIC: True}),
        (0, {"crash_detection": 1}, {Kind.CRASH: True}),
        (0, {"crash_detection": 0}, {}),
        (0, {"crash_detection": "1"}, {}),
        (0, {"eye_roll_1": 60}, {Kind.TILT: True}),
        (0, {"eye_pitch_1": -75.5, "eye_roll_1": 2}, {Kind.TILT: True}),
        (0, {"eye_roll_1": 59.9, "eye_pitch_1": -59}, {Kind.TILT: False}),
        (2, {"crash_detection": 5, "eye_roll_1": 90}, {Kind.PANIC: True, Kind.CRASH: True, Kind.TILT: True}),
    ],
)
def test_what_a_fix_says(priority: int, decoded: dict[str, Any], expected: dict[Kind, bool]) -> None:
    assert signals(priority, decoded, LIMITS) == expected


@pytest.mark.parametrize(
    ("kind", "metres", "crew_is", "expected"),
    [
        (Kind.STOPPED, 60, "inside", False),  # pushed out of the way
        (Kind.STOPPED, 199, "inside", False),
        (Kind.STOPPED, 201, "inside", True),  # towed counts as moving: the crew is with somebody
        (Kind.STOPPED, 0, "liaison", True),
        (Kind.STOPPED, 0, "gone", True),
        (Kind.SILENT, 0, "inside", True),
        (Kind.OVERDUE, 0, "inside", True),
        (Kind.PANIC, 9000, "gone", False),
        (Kind.CRASH, 9000, "gone", False),
        (Kind.TILT, 9000, "gone", False),
    ],
)
def test_a_condition_ends_only_when_it_is_really_over(kind: Kind, metres: int, crew_is: str, expected: bool) -> None:
    at = Place(HERE.lat + metres / 111_060, HERE.lon)  # a degree of latitude is so long at 41.3°
    crews = {"inside": INSIDE, "liaison": replace(INSIDE, segment_type="liaison"), "gone": None}
    assert is_over(kind, at, crews[crew_is], LIMITS) is expected


def test_without_a_fresh_tracker_nobody_knows_whether_a_crew_stands() -> None:
    assert stands(replace(INSIDE, trackers=(tracker(11 * MINUTE, standing=THREE),)), NOW, LIMITS) is None
    assert stands(INSIDE, NOW, LIMITS) is None
    assert stands(replace(INSIDE, trackers=(tracker(standing=THREE),)), NOW, LIMITS) == NOW - 1000 - THREE
