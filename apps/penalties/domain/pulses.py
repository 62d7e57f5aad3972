"""Speed over a limit: values, runs and pulses (rulebook 3.2, 3.3, 3.6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from apps.course.domain.fixes import Fixes
from apps.timing.domain.zone_intervals import GAP_LIMIT_MS

PULSE_M = 150.0
PULSE_MS = 10_000.0
EARTH_M = 6_371_008.8
# Float dust must not make a pulse of the very end of a run.
_DUST_MS = 1e-6


@dataclass(frozen=True, slots=True)
class Pulse:
    """An impulse of speeding: its instant (epoch ms) and the highest whole excess since the last one."""

    ts: int
    excess: int
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Hold:
    """One fix over the limit and how long its speed is taken to last (ms, to the next fix).

    `derived` tells that the speed is of the chord arriving at the fix, not the device's own.
    """

    ts: int
    ms: int
    speed: float
    excess: int
    lat: float
    lon: float
    derived: bool = False


def believed(run: tuple[Hold, ...]) -> bool:
    """Whether more than one fix vouches for a run (3.6); one fix out of place makes two chords too fast."""
    return len(run) > (2 if any(hold.derived for hold in run) else 1)


def speeds(fixes: Fixes) -> NDArray[np.float64]:
    """km/h of each fix: the device's own, else that of the chord arriving at it, else nan (3.2).

    A chord longer than the gap limit tells no speed.
    """
    if len(fixes) < 2:
        return fixes.speed
    ms = np.diff(fixes.ts)
    arriving = np.where(ms > GAP_LIMIT_MS, np.nan, _distances(fixes) * 3600 / ms)
    chord = np.concatenate(([np.nan], arriving))
    return np.where(np.isnan(fixes.speed), chord, fixes.speed)


def excesses(fixes: Fixes, limit_kmh: float, tolerance_kmh: float = 0.0) -> NDArray[np.int64]:
    """Whole km/h over the limit, floored to the crew's benefit (3.2); 0 where legal or unknown."""
    over = np.floor(speeds(fixes) - limit_kmh - tolerance_kmh)
    whole: NDArray[np.int64] = np.maximum(np.nan_to_num(over, nan=0.0), 0.0).astype(np.int64)
    return whole


def runs(fixes: Fixes, excess: NDArray[np.int64]) -> Iterator[tuple[Hold, ...]]:
    """Stretches of consecutive fixes over the limit; a gap ends one (no evidence of what lay in it)."""
    gaps = np.diff(fixes.ts, prepend=fixes.ts[:1]) > GAP_LIMIT_MS
    over = excess > 0
    fresh = over & (np.concatenate(([True], ~over[:-1])) | gaps)
    value = speeds(fixes)
    starts = np.flatnonzero(fresh)
    for start, bound in pairwise((*starts, len(fixes))):
        length = int(np.argmin(over[start:bound])) if not over[start:bound].all() else bound - start
        yield tuple(_hold(fixes, value, excess, i) for i in range(start, start + length))


def pulses(run: tuple[Hold, ...]) -> list[Pulse]:
    """One at the onset, then one each 150 m or 10 s, whichever comes first, while over the limit (3.3)."""
    first = run[0]
    emitted = [Pulse(first.ts, first.excess, first.lat, first.lon)]
    travelled = elapsed = 0.0
    worst = 0
    for hold in run:
        worst = max(worst, hold.excess)
        metres_per_ms = hold.speed / 3600
        spent = 0.0
        while True:
            due = min((PULSE_M - travelled) / metres_per_ms, PULSE_MS - elapsed)
            if due >= hold.ms - spent - _DUST_MS:
                break
            spent += due
            emitted.append(Pulse(hold.ts + int(spent), worst, hold.lat, hold.lon))
            travelled, elapsed, worst = 0.0, 0.0, hold.excess
        travelled += metres_per_ms * (hold.ms - spent)
        elapsed += hold.ms - spent
    return emitted


def _hold(fixes: Fixes, value: NDArray[np.float64], excess: NDArray[np.int64], i: int) -> Hold:
    following = int(fixes.ts[i + 1] - fixes.ts[i]) if i + 1 < len(fixes) else 0
    lasting = following if following <= GAP_LIMIT_MS else 0
    lat, lon = float(fixes.lat[i]), float(fixes.lon[i])
    derived = bool(np.isnan(fixes.speed[i]))
    return Hold(int(fixes.ts[i]), lasting, float(value[i]), int(excess[i]), lat, lon, derived)


def _distances(fixes: Fixes) -> NDArray[np.float64]:
    """Metres between neighbouring fixes (haversine)."""
    lat, lon = np.radians(fixes.lat), np.radians(fixes.lon)
    half = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[:-1]) * np.cos(lat[1:]) * np.sin(np.diff(lon) / 2) ** 2
    metres: NDArray[np.float64] = 2 * EARTH_M * np.arcsin(np.sqrt(half))
    return metres
