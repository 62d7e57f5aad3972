"""The standstill of who stopped to help (rulebook 8.4): the end of worked example 9."""

import math

import numpy as np
import pytest

from apps.course.domain.fixes import Fixes
from apps.timing.domain.standstill import credit_proposal, standstills

LAT, LON = 41.0, 20.0
METRE = 1 / 111_195.0
START = 1_780_790_400_000


def stop(seconds: int, *, at_m: float = 0.0, step_s: int = 1, device: int = 0, speed: float = 0.0) -> Fixes:
    """Drives up at 10 m/s from the north, stands `at_m` north of the incident, and drives on."""
    before, after = range(-60, 0), range(1, 60)
    rows = [(s, at_m - 10.0 * s, 36.0) for s in before]
    rows += [(s, at_m, speed) for s in range(0, seconds + 1, step_s)]
    rows += [(seconds + s, at_m - 10.0 * s, 36.0) for s in after]
    ts = START + np.array([s for s, _, _ in rows]) * 1000
    lat = LAT + np.array([m for _, m, _ in rows]) * METRE
    return Fixes.build(device, ts, lat, np.full(len(rows), LON), np.array([v for *_, v in rows]))


def joined(*parts: Fixes) -> Fixes:
    names = ("device", "ts", "lat", "lon", "speed")
    return Fixes.build(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@pytest.mark.parametrize(("seconds", "proposed"), [(179, None), (180, 180_000), (853, 853_000)])
def test_worked_example_9_three_minutes_or_more(seconds: int, proposed: int | None) -> None:
    """2:59 gives no proposal, 3:00 does, and so do Peterhansel's 14:13."""
    found = credit_proposal(stop(seconds), LAT, LON)
    assert (found.duration_ms if found else None) == proposed
    if found:
        assert (found.from_ts, found.silence_ms) == (START, 1000)


@pytest.mark.parametrize(("metres", "counts"), [(99.9, True), (100.2, False)])
def test_only_within_100_m_of_the_incident(metres: float, counts: bool) -> None:
    assert (credit_proposal(stop(200, at_m=metres), LAT, LON) is not None) is counts


@pytest.mark.parametrize(("speed", "counts"), [(2.9, True), (3.0, False)])
def test_only_below_3_km_h(speed: float, counts: bool) -> None:
    assert (credit_proposal(stop(200, speed=speed), LAT, LON) is not None) is counts


def test_two_stops_are_not_added() -> None:
    """Standing, driving on and standing again is not one standstill."""
    two = joined(stop(120), _later(stop(150), 400_000))
    assert [stay.duration_ms for stay in standstills(two, LAT, LON)] == [120_000, 150_000]
    assert credit_proposal(two, LAT, LON) is None


def _later(fixes: Fixes, ms: int) -> Fixes:
    return Fixes.build(fixes.device, fixes.ts + ms, fixes.lat, fixes.lon, fixes.speed)


def test_a_tracker_that_sleeps_while_it_stands_is_believed_and_its_silence_shown() -> None:
    found = credit_proposal(stop(240, step_s=60), LAT, LON)
    assert found is not None
    assert (found.duration_ms, found.silence_ms) == (240_000, 60_000)


def test_the_first_device_that_stood_there_is_believed() -> None:
    """The second tracker only where the first has nothing of it."""
    assert credit_proposal(joined(stop(120), stop(200, device=1)), LAT, LON) is None
    away = stop(0, at_m=5000)
    found = credit_proposal(joined(away, stop(200, device=1)), LAT, LON)
    assert found is not None
    assert found.duration_ms == 200_000


def test_without_speeds_the_chords_tell() -> None:
    """A first fix of unknown speed proves nothing."""
    found = credit_proposal(stop(200, speed=math.nan), LAT, LON)
    assert found is not None
    assert found.duration_ms == 199_000


def test_no_fixes_no_standstill() -> None:
    assert credit_proposal(Fixes.build(0, [], [], []), LAT, LON) is None
    assert list(standstills(Fixes.build(0, [], [], []), LAT, LON)) == []
