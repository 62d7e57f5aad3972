"""A typed time that cannot be is asked about before it is written."""

from dataclasses import replace

from apps.desk.domain.ordering import Doubt, Known, Typed, doubts

NOW = 10_000_000
ROAD = ("dss", "wp", "ass")
TYPED = Typed("wp", 5_000_000, ROAD, (1_000_000, None))


def test_a_time_that_fits_raises_no_doubt() -> None:
    known = Known(gps={"dss": [4_000_000], "wp": [5_000_400]}, recorded={"ass": [6_000_000]}, target_ts=4_000_000)
    assert doubts(TYPED, known, NOW) == []


def test_a_control_before_it_passed_later_is_told_and_the_nearest_of_them() -> None:
    assert doubts(TYPED, Known(gps={"dss": [5_000_001]}), NOW) == [Doubt("before-earlier", "dss", 5_000_001)]


def test_a_loop_driven_twice_is_no_doubt() -> None:
    """Of a control before it the first passing counts, of one after it the last."""
    known = Known(gps={"dss": [4_000_000, 7_000_000], "ass": [3_000_000, 6_000_000]})
    assert doubts(TYPED, known, NOW) == []


def test_a_control_after_it_passed_earlier_is_told() -> None:
    assert doubts(TYPED, Known(recorded={"ass": [4_999_999]}), NOW) == [Doubt("after-later", "ass", 4_999_999)]


def test_before_the_assigned_start() -> None:
    assert doubts(TYPED, Known(target_ts=5_000_001), NOW) == [Doubt("before-start", ts=5_000_001)]


def test_a_second_record_at_the_same_control() -> None:
    assert doubts(TYPED, Known(recorded={"wp": [5_000_000]}), NOW) == [Doubt("again", "wp", 5_000_000)]


def test_far_from_gps_is_told_with_the_nearest_crossing() -> None:
    known = Known(gps={"wp": [4_900_000, 6_900_000]})
    assert doubts(TYPED, known, NOW) == [Doubt("far-from-gps", "wp", 4_900_000)]
    assert doubts(TYPED, Known(gps={"wp": [5_060_000]}), NOW) == []


def test_the_future_and_another_stage() -> None:
    assert doubts(TYPED, Known(), 4_939_999) == [Doubt("future")]
    assert doubts(TYPED, Known(), 4_940_000) == []
    assert doubts(replace(TYPED, window=(5_000_001, None)), Known(), NOW) == [Doubt("outside")]
    assert doubts(replace(TYPED, window=(0, 4_999_999)), Known(), NOW) == [Doubt("outside")]


def test_who_is_out_of_the_event_is_asked_about_first() -> None:
    assert [doubt.code for doubt in doubts(TYPED, Known(out=True, recorded={"wp": [1]}), NOW)] == ["out", "again"]
