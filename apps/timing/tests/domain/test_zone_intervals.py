"""When a speed zone binds (rulebook 3.1, worked example 3b)."""

import numpy as np
import pytest

from apps.course.domain.crossings import Crossing, Direction
from apps.course.domain.fixes import Fixes
from apps.timing.domain.passages import Window, record
from apps.timing.domain.plan import SpeedZonePlan
from apps.timing.domain.zone_intervals import DZ_MISSED, FZ_MISSED, ZoneInterval, zone_intervals
from apps.timing.tests.domain.build import at, cross, special, stage, stay, steady

PAIR = SpeedZonePlan("z", 50, dz="dz", fz="fz")
AREA = SpeedZonePlan("z", 50, polygon="area")


def intervals(
    zone: SpeedZonePlan, crossings: list[Crossing], to_s: float | None = 500, fixes: Fixes | None = None
) -> list[tuple[float, float | None, str]]:
    """Intervals in seconds after T0 of a segment from 0 to `to_s`."""
    plan = stage(special(zones=(zone,)))
    span = Window(at(0), None if to_s is None else at(to_s))
    found = zone_intervals(zone, record(crossings, plan), span, fixes or steady([]))
    return [(_seconds(i.from_ts), None if i.to_ts is None else _seconds(i.to_ts), i.review) for i in found]


def _seconds(ts: int) -> float:
    return (ts - at(0)) / 1000


def test_a_pair_binds_from_leaving_dz_to_entering_fz() -> None:
    """3b: the two radii are the margin."""
    assert intervals(PAIR, [*stay("dz", 10, 20), *stay("fz", 80, 90)]) == [(20, 80, "")]


def test_a_missed_fz_closes_at_the_finish_and_asks_for_review() -> None:
    """3.1: and while the entry still drives, the zone is simply open."""
    assert intervals(PAIR, stay("dz", 10, 20)) == [(20, 500, FZ_MISSED)]
    assert intervals(PAIR, stay("dz", 10, 20), to_s=None) == [(20, None, "")]


def test_a_missed_dz_asks_for_review() -> None:
    """Nobody can say when the limit began."""
    assert intervals(PAIR, stay("fz", 80, 90)) == [(80, 80, DZ_MISSED)]


def test_circling_back_to_dz_does_not_reopen_the_zone() -> None:
    """The limit holds whatever route is taken between (80.16.2)."""
    crossings = [*stay("dz", 10, 20), *stay("dz", 40, 50), *stay("fz", 80, 90)]
    assert intervals(PAIR, crossings) == [(20, 80, "")]


def test_the_lowest_device_opens_and_closes() -> None:
    """A second tracker neither widens nor doubles the zone; where the first saw nothing it counts."""
    first = [*stay("dz", 10, 20), *stay("fz", 80, 90)]
    second = [*stay("dz", 10.4, 20.4, 1), *stay("fz", 80.4, 90.4, 1)]
    assert intervals(PAIR, [*second, *first]) == [(20, 80, "")]
    assert intervals(PAIR, [*second, *first[:2]]) == [(20, 80.4, "")]


def test_a_polygon_binds_during_each_visit_within_the_segment() -> None:
    """Visits before the start and after the finish are cut off."""
    crossings = [*stay("area", 10, 20), *stay("area", 490, 510), *stay("area", 600, 610)]
    assert intervals(AREA, crossings) == [(10, 20, ""), (490, 500, "")]


def test_an_entry_still_in_the_polygon_is_bound_up_to_its_last_fix() -> None:
    """A live zone is judged before it is left."""
    fixes = steady([40.0] * 31)
    assert intervals(AREA, [cross("area", Direction.ENTER, 10)], None, fixes) == [(10, 30, "")]


def test_a_record_that_begins_inside_reaches_back_to_the_last_gap() -> None:
    """Fixes before a gap may have been outside: they are not held against the crew."""
    fixes = _with_gap()
    assert intervals(AREA, [cross("area", Direction.LEAVE, 110)], 500, fixes) == [(100, 110, "")]


def _with_gap() -> Fixes:
    seconds = [*range(0, 50), *range(100, 120)]
    same = np.zeros(len(seconds))
    ts = np.array([at(s) for s in seconds])
    return Fixes.build(same.astype(int), ts, same + 41, same + 20, same + 40)


def test_a_zone_without_a_place_is_refused() -> None:
    """A DZ alone is no zone."""
    with pytest.raises(ValueError, match="speed zone z"):
        SpeedZonePlan("z", 50, dz="dz")


def test_an_interval_is_a_value() -> None:
    """Intervals compare by what they hold, so that recomputes can be compared."""
    assert ZoneInterval(1, 2) == ZoneInterval(1, 2)
