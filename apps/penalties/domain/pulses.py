"""Speed over a limit: values, runs and pulses (rulebook 3.2, 3.3, 3.6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from apps.course.domain.fixes import Fixes
from apps.timing.domain.zone_intervals import GAP_LIMIT_MS

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


@dataclass(frozen=True, slots=True)
class PulseRule:
    """When impulses are emitted: at the onset or not, then each `metres` or `ms`, whichever first; 0 = not used."""

    metres: float = 150.0
    ms: float = 10_000.0
    onset: bool = True

    def due(self, hold: "Hold", travelled: float, elapsed: float) -> float:
        """How many ms from now the next pulse is due at the speed of the hold."""
        by_way = (self.metres - travelled) * 3600 / hold.speed if self.metres else inf
        return min(by_way, self.ms - elapsed if self.ms else inf)


def believed(run: tuple[Hold, ...], min_fixes: int = 2) -> bool:
    """Whether enough fixes vouch for a run (3.6); one fix out of place makes two chords too fast."""
    derived = min_fixes > 1 and any(hold.derived for hold in run)
    return len(run) >= min_fixes + derived


def speeds(fixes: Fixes) -> NDArray[np.float64]:
    """km/h of each fix: the device's own, else that of the chord arriving at it, else nan (3.2).

    A chord longer than the gap limit tells no speed.
    """
    if len(fixes) < 2 or not np.isnan(fixes.speed).any():
        return fixes.speed
    ms = np.diff(fixes.ts)
    arriving = np.where(ms > GAP_LIMIT_MS, np.nan, _distances(fixes) * 3600 / ms)
    chord = np.concatenate(([np.nan], arriving))
    return np.where(np.isnan(fixes.speed), chord, fixes.speed)


def excesses(
    fixes: Fixes, limit_kmh: float, tolerance_kmh: float = 0.0, rounding: Literal["floor", "ceil"] = "floor"
) -> NDArray[np.int64]:
    """Whole km/h over the limit, floored to the crew's benefit by default (3.2); 0 where legal or unknown."""
    over = (np.ceil if rounding == "ceil" else np.floor)(speeds(fixes) - limit_kmh - tolerance_kmh)
    whole: NDArray[np.int64] = np.maximum(np.nan_to_num(over, nan=0.0), 0.0).astype(np.int64)
    return whole


def runs(fixes: Fixes, excess: NDArray[np.int64]) -> Iterator[tuple[Hold, ...]]:
    """Stretches of consecutive fixes over the limit; a gap ends one (no evidence of what lay in it)."""
    over = excess > 0
    if not over.any():
        return
    gaps = np.diff(fixes.ts, prepend=fixes.ts[:1]) > GAP_LIMIT_MS
    fresh = over & (np.concatenate(([True], ~over[:-1])) | gaps)
    value = speeds(fixes)
    starts = np.flatnonzero(fresh)
    for start, bound in pairwise((*starts, len(fixes))):
        length = int(np.argmin(over[start:bound])) if not over[start:bound].all() else bound - start
        yield tuple(_hold(fixes, value, excess, i) for i in range(start, start + length))


def pulses(run: tuple[Hold, ...], rule: PulseRule = PulseRule()) -> list[Pulse]:
    """One at the onset (unless the rule says no), then as the rule says while over the limit (3.3)."""
    emitted = [_pulse(run[0], 0, run[0].excess)] if rule.onset else []
    travelled = elapsed = 0.0
    worst = 0
    for hold in run:
        worst = max(worst, hold.excess)
        spent = 0.0
        while (due := rule.due(hold, travelled, elapsed)) < hold.ms - spent - _DUST_MS:
            spent += due
            emitted.append(_pulse(hold, spent, worst))
            travelled, elapsed, worst = 0.0, 0.0, hold.excess
        travelled += hold.speed / 3600 * (hold.ms - spent)
        elapsed += hold.ms - spent
    return emitted


def _pulse(hold: Hold, spent: float, excess: int) -> Pulse:
    return Pulse(hold.ts + int(spent), excess, hold.lat, hold.lon)


def _hold(fixes: Fixes, value: NDArray[np.float64], excess: NDArray[np.int64], i: int) -> Hold:
    following = int(fixes.ts[i + 1] - fixes.ts[i]) if i + 1 < len(fixes) else 0
    lasting = following if following <= GAP_LIMIT_MS else 0
    lat, lon = float(fixes.lat[i]), float(fixes.lon[i])
    derived = bool(np.isnan(fixes.speed[i]))
    return Hold(int(fixes.ts[i]), lasting, round(float(value[i]), 3), int(excess[i]), lat, lon, derived)


def _distances(fixes: Fixes) -> NDArray[np.float64]:
    """Metres between neighbouring fixes (haversine)."""
    lat, lon = np.radians(fixes.lat), np.radians(fixes.lon)
    half = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[:-1]) * np.cos(lat[1:]) * np.sin(np.diff(lon) / 2) ** 2
    metres: NDArray[np.float64] = 2 * EARTH_M * np.arcsin(np.sqrt(half))
    return metres
