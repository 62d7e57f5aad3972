"""Waypoints in sequence (rulebook 2.2)."""

import pytest

from apps.course.domain.crossings import Crossing, Direction
from apps.timing.domain.passages import record
from apps.timing.domain.segment_times import Facts, segment_times
from apps.timing.domain.waypoints import WaypointReading, read_waypoints
from apps.timing.tests.domain.build import at, cross, cut, special, stage, stay, waypoint

START, FINISH = cut("start", 0), cut("finish", 1000)


def reading(crossings: list[Crossing], count: int = 4) -> WaypointReading:
    """Waypoints w1..w<count> of one special stage."""
    plan = stage(special(waypoints=tuple(waypoint(n) for n in range(1, count + 1))))
    found = record(crossings, plan)
    (time,) = segment_times(plan, found, Facts())
    return read_waypoints(plan.segments[0], found, time)


def drive(*orders: int) -> list[Crossing]:
    """Visits of waypoints in the order given, ten seconds each."""
    return [c for i, n in enumerate(orders, 1) for c in stay(f"w{n}", 10 * i, 10 * i + 5)]


CASES = [
    # driven, validated, missed when finished, missed while running
    ((1, 2, 3, 4), "1234", "", ""),
    ((), "", "1234", ""),
    ((1, 2), "12", "34", ""),
    ((1, 3), "13", "24", "2"),
    ((2, 1, 3, 4), "234", "1", None),  # 1 reached late after 2
    ((1, 3, 2, 4), "134", "2", None),
    ((4, 1, 2, 3), "4", "123", ""),  # while running: 4 was only passed by so far
    ((1, 4, 2, 3, 4), "1234", "", ""),  # the course passes 4 on its way to 2
    ((1, 1, 2, 2, 3, 4, 1), "1234", "", ""),
]


@pytest.mark.parametrize(("driven", "validated", "missed", "_running"), CASES)
def test_finished(driven: tuple[int, ...], validated: str, missed: str, _running: str | None) -> None:
    """All that was not validated is missed."""
    found = reading([START, *drive(*driven), FINISH])
    assert "".join(v.waypoint.id[1:] for v in found.validated) == validated
    assert "".join(w.id[1:] for w in found.missed) == missed


@pytest.mark.parametrize(("driven", "_validated", "_missed", "running"), CASES)
def test_running(driven: tuple[int, ...], _validated: str, _missed: str, running: str | None) -> None:
    """Only what lies before the furthest validated one is missed already."""
    if running is not None:
        found = reading([START, *drive(*driven)])
        assert "".join(w.id[1:] for w in found.missed) == running


def test_before_the_start_nothing_is_validated_nor_missed() -> None:
    """2.2: only from start to finish."""
    assert reading(drive(1, 2)) == WaypointReading()


def test_after_the_finish_nothing_is_validated() -> None:
    """2.2: only from start to finish."""
    found = reading([START, cut("finish", 20), *stay("w1", 30, 40)], count=1)
    assert [w.id for w in found.missed] == ["w1"]


@pytest.mark.parametrize(
    ("crossings", "instant"),
    [
        (stay("w1", 10, 90), 50),  # inside when the clock starts
        ([cross("w1", Direction.LEAVE, 90)], 89.5),  # the record begins inside: the fix before proves it
        ([cross("w1", Direction.ENTER, 90)], 90),  # the record ends inside
    ],
)
def test_being_inside_without_an_enter_validates(crossings: list[Crossing], instant: float) -> None:
    """A visit of which only one end was seen is a visit."""
    found = reading([cut("start", 50), *crossings, FINISH], count=1)
    assert [v.ts for v in found.validated] == [at(instant)]


def test_a_visit_that_ended_before_the_start_does_not_validate() -> None:
    """Waiting in a circle before the start is no passage."""
    found = reading([cut("start", 50), *stay("w1", 20, 49), FINISH], count=1)
    assert [w.id for w in found.missed] == ["w1"]


def test_either_device_validates() -> None:
    """2.2: two trackers, one is enough."""
    found = reading([START, *stay("w1", 10, 15, 0), *stay("w2", 20, 25, 1), FINISH], count=2)
    assert [v.waypoint.id for v in found.validated] == ["w1", "w2"]
    assert found.missed == ()


def test_marks_of_the_course_are_not_waypoints_to_miss() -> None:
    """DSS, ASS, DZ, FZ, DN, FN and TC carry no penalty."""
    marks = tuple(waypoint(n, kind) for n, kind in enumerate(("DSS", "DZ", "FZ", "DN", "FN", "TC", "ASS")))
    plan = stage(special(waypoints=marks))
    found = record([START, FINISH], plan)
    (time,) = segment_times(plan, found, Facts())
    assert read_waypoints(plan.segments[0], found, time) == WaypointReading()
