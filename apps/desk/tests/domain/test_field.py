"""Who is counted where, and about whom somebody is told: a crew in need must not be overlooked (rulebook 9.4)."""

from dataclasses import replace

import pytest

from apps.desk.domain.field import Alarm, Group, Limits, Seen, alarms, group, medians, overdue

MINUTE = 60_000
NOW = 1_000 * MINUTE
RIDING = Seen("M-1", result="running", start_ts=NOW - 30 * MINUTE, fix_ts=NOW - MINUTE, moving_ts=NOW - MINUTE)


@pytest.mark.parametrize(
    ("result", "word", "expected"),
    [
        ("", "accepted", Group.EXPECTED),
        ("registered", "accepted", Group.EXPECTED),
        ("running", "started", Group.ON_COURSE),
        ("finished", "accepted", Group.FINISHED),
        ("finished", "retired", Group.FINISHED),
        ("dnf", "started", Group.RETIRED),
        ("dns", "accepted", Group.RETIRED),
        ("", "withdrawn", Group.RETIRED),
        ("running", "retired", Group.RETIRED),
    ],
)
def test_every_entry_is_in_one_group(result: str, word: str, expected: Group) -> None:
    assert group(Seen("M-1", result=result, word=word)) is expected


def test_nobody_who_rides_as_expected_is_an_alarm() -> None:
    assert alarms(RIDING, NOW, Limits(60 * MINUTE, {"M-1": 20 * MINUTE})) == ()


def test_silence_of_ten_minutes_is_an_alarm_and_no_second_less() -> None:
    at_limit = replace(RIDING, fix_ts=NOW - 10 * MINUTE, moving_ts=NOW - 10 * MINUTE)
    assert Alarm.SILENT not in alarms(at_limit, NOW, Limits())
    assert alarms(replace(at_limit, fix_ts=NOW - 10 * MINUTE - 1), NOW, Limits()) == (Alarm.SILENT,)
    assert Alarm.SILENT in alarms(replace(RIDING, fix_ts=None, moving_ts=None), NOW, Limits())


def test_three_minutes_without_moving_is_an_alarm_but_not_overdue() -> None:
    stopped = replace(RIDING, moving_ts=NOW - 3 * MINUTE)
    assert alarms(stopped, NOW, Limits()) == (Alarm.STOPPED,)
    assert not overdue((Alarm.STOPPED,))
    assert alarms(replace(stopped, moving_ts=NOW - 3 * MINUTE + 1), NOW, Limits()) == ()


def test_twice_the_median_of_its_class_is_overdue_and_else_that_of_all() -> None:
    late = replace(RIDING, start_ts=NOW - 41 * MINUTE)
    assert alarms(late, NOW, Limits(medians={"M-1": 20 * MINUTE})) == (Alarm.SLOW,)
    assert alarms(late, NOW, Limits(medians={"": 20 * MINUTE})) == (Alarm.SLOW,)
    assert alarms(late, NOW, Limits(medians={"M-1": 30 * MINUTE, "": 20 * MINUTE})) == ()


def test_over_the_maximum_time_is_overdue_from_the_assigned_start_where_none_was_seen() -> None:
    unseen = replace(RIDING, start_ts=None, target_ts=NOW - 61 * MINUTE)
    assert alarms(unseen, NOW, Limits(60 * MINUTE)) == (Alarm.OVER_MAXIMUM,)


def test_who_does_not_start_in_time_is_overdue() -> None:
    waiting = Seen("M-1", target_ts=NOW - 10 * MINUTE)
    assert alarms(waiting, NOW, Limits()) == ()
    assert alarms(replace(waiting, target_ts=NOW - 10 * MINUTE - 1), NOW, Limits()) == (Alarm.LATE_START,)


@pytest.mark.parametrize("result", ["finished", "dnf", "dsq"])
def test_of_those_at_home_or_out_there_is_no_alarm(result: str) -> None:
    assert alarms(replace(RIDING, result=result, fix_ts=None), NOW, Limits(1, {"": 1})) == ()


def test_a_median_needs_three_who_are_home() -> None:
    home = [Seen("M-1", "finished", time_ms=n * MINUTE) for n in (10, 20, 60)]
    assert medians([*home, Seen("Q-1", "finished", time_ms=30 * MINUTE), RIDING]) == {
        "M-1": 20 * MINUTE,
        "": 25 * MINUTE,
    }
    assert medians(home[:2]) == {}
