"""Whose time counts at a control, and what officials take out of a segment, give back, or award instead."""

from collections.abc import Sequence

import pytest

from apps.course.domain.crossings import Crossing, Direction
from apps.timing.domain.acceptance import Accepted, accept
from apps.timing.domain.adjustments import Adjustment, Exclusion
from apps.timing.domain.marks import BEST_FIRST, Grade, Mark, Source, by_control
from apps.timing.domain.passages import Passage, record
from apps.timing.domain.plan import ControlPoint, Pick, StagePlan
from apps.timing.domain.segment_times import Facts, SegmentTime, segment_times
from apps.timing.tests.domain.build import at, cross, cut, gate, special, stage, stay, waypoint

GOOD, DOUBTFUL, BAD, SURE = Grade.GOOD, Grade.QUESTIONABLE, Grade.BAD, Grade.CONFIRMED


def mark(source: Source, seconds: float, grade: Grade = GOOD, control: str = "finish", reason: str = "") -> Mark:
    return Mark(f"{source}{seconds}", control, at(seconds), source, grade, reason)


def taken(
    gps: Passage | None,
    *marks: Mark,
    sources: Sequence[str] = BEST_FIRST,
    verify: bool = False,
    pick: Pick = Pick.FIRST,
) -> Accepted:
    point = ControlPoint("finish", Direction.CUT, pick, tuple(sources), verify)
    found = accept(gps, marks, point, 1000)
    assert found is not None
    return found


def passed(seconds: float, *others: Crossing) -> Passage:
    crossing = cut("finish", seconds)
    return Passage(crossing, (crossing, *others))


@pytest.mark.parametrize(
    ("marks", "source"),
    [
        ([], "gps"),
        ([mark(Source.MARSHAL, 100)], "marshal"),
        ([mark(Source.MARSHAL, 100), mark(Source.TIMEKEEPER, 100)], "timekeeper"),
        ([mark(Source.BEAM, 100), mark(Source.TIMEKEEPER, 100)], "beam"),
        ([mark(Source.BEAM, 100), mark(Source.CARD, 100)], "card"),
        ([mark(Source.CARD, 100, DOUBTFUL)], "gps"),
        ([mark(Source.CARD, 100, DOUBTFUL), mark(Source.MARSHAL, 100)], "marshal"),
        ([mark(Source.CARD, 100), mark(Source.MARSHAL, 100, SURE)], "marshal"),
    ],
)
def test_the_grade_decides_before_the_source(marks: list[Mark], source: str) -> None:
    """The card prevails (9.2), yet a doubtful one does not outrank a good crossing; what is confirmed beats all."""
    assert taken(passed(100), *marks).source == source


def test_the_priority_of_sources_is_the_controls_own() -> None:
    marks = [mark(Source.CARD, 90), mark(Source.BEAM, 95)]
    assert taken(passed(100), *marks, sources=["gps", "beam"]).ts == at(100)
    assert taken(None, *marks, sources=["gps", "beam"]).ts == at(95)


def test_bad_records_are_left_out() -> None:
    assert by_control([mark(Source.BEAM, 90, BAD)]) == {}
    assert accept(None, (), ControlPoint("finish", Direction.CUT), 1000) is None


def test_other_records_that_tell_another_time_are_told() -> None:
    """Beam against GPS: a difference over 1 s is highlighted (9.3); so is that of a second tracker."""
    found = taken(passed(101.2, cut("finish", 103.5, device=1)), mark(Source.BEAM, 100))
    assert found.reviews == ("GPS differs by +1.2 s",)
    assert taken(passed(100, cut("finish", 103.5, device=1))).reviews == ("tracker 2 differs by +3.5 s",)
    assert taken(passed(101), mark(Source.BEAM, 100)).reviews == ()


def test_a_crossing_is_questionable_where_it_is_to_be_verified_or_uncertain() -> None:
    found = taken(passed(100), verify=True)
    assert (found.grade, found.reviews) == (DOUBTFUL, ("GPS crossing to be verified by hand",))
    far = Crossing("finish", 0, Direction.CUT, at(100), 2500, at(96), at(105), 0.5, 0, None)
    assert taken(Passage(far, (far,))).reviews == ("GPS crossing uncertain by 2.5 s",)


def test_a_questionable_record_says_why() -> None:
    found = taken(None, mark(Source.CARD, 100, DOUBTFUL, reason="hard to read"))
    assert found.reviews == ("card record is questionable: hard to read",)


def test_of_equal_records_the_first_counts_or_the_last_where_the_control_takes_it() -> None:
    marks = [mark(Source.BEAM, 100), mark(Source.BEAM, 160)]
    assert taken(None, *marks).ts == at(100)
    assert taken(None, *marks, pick=Pick.LAST).ts == at(160)


def times(crossings: list[Crossing], facts: Facts, plan: StagePlan | None = None) -> SegmentTime:
    plan = plan or stage(special(waypoints=(waypoint(1), waypoint(2))))
    (time,) = segment_times(plan, record(crossings, plan), facts)
    return time


def test_marks_alone_time_a_stage_without_any_tracker() -> None:
    marks = by_control([mark(Source.MARSHAL, 10, control="start"), mark(Source.BEAM, 70.9)])
    time = times([], Facts(marks=marks))
    assert (time.net_ms, time.start_source, time.finish_source) == (60_000, "marshal", "beam")


def test_a_confirmed_start_beats_the_assigned_one() -> None:
    plan = stage(special(start_from="assigned"))
    facts = Facts({"ss": at(5)}, by_control([mark(Source.MARSHAL, 8, SURE, control="start")]))
    assert times([cut("start", 6), cut("finish", 60)], facts, plan).start_ts == at(8)
    assert times([cut("start", 6), cut("finish", 60)], Facts({"ss": at(5)}), plan).start_ts == at(5)


DRIVEN = [cut("start", 0), *stay("w1", 20, 25), *stay("w2", 50, 55), cut("finish", 100.9)]


@pytest.mark.parametrize(
    ("decided", "net_ms"),
    [
        (Adjustment(credit_ms=10_000), 90_000),
        (Adjustment(credit_ms=200_000), 0),
        (Adjustment(notional_ms=77_000), 77_000),
        (Adjustment(credit_ms=7_000, notional_ms=77_000), 70_000),
        (Adjustment(excluded=(Exclusion("w1", "w2"),)), 70_000),
        (Adjustment(excluded=(Exclusion("w2", "w1"),)), 100_000),
        (Adjustment(excluded=(Exclusion("w1", "far"),)), 100_000),
    ],
)
def test_what_officials_take_out_give_back_and_award(decided: Adjustment, net_ms: int) -> None:
    """8.2 to 8.4; the time is truncated once, after what was taken out."""
    assert times(DRIVEN, Facts(adjustments={"ss": decided})).net_ms == net_ms


def test_a_part_that_was_not_driven_cannot_be_taken_out_and_is_told() -> None:
    decided = Adjustment(excluded=(Exclusion("w1", "far"),))
    assert times(DRIVEN, Facts(adjustments={"ss": decided})).reviews == ("w1 to far not taken out: not passed",)


def test_a_notional_time_stands_without_a_finish() -> None:
    """Shown the red signal, the crew never reached the finish (8.3)."""
    time = times([cut("start", 0)], Facts(adjustments={"ss": Adjustment(notional_ms=77_000)}))
    assert (time.net_ms, time.finish_ts, time.notional) == (77_000, None, True)


def test_a_start_by_an_area_left_and_entered_again_takes_its_first_entry() -> None:
    plan = stage(special(start=ControlPoint("area", Direction.ENTER), finish=gate("finish")))
    crossings = [cross("area", Direction.ENTER, 1), cross("area", Direction.LEAVE, 3), *stay("area", 8, 9)]
    assert times([*crossings, cut("finish", 61)], Facts(), plan).net_ms == 60_000
