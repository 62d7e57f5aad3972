"""Time given back for helping: the standstill at an incident, from the tracker (rulebook 8.4). Never automatic."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.course.domain.fixes import Fixes
from apps.course.domain.plane import distance_m

SLOW_KMH = 3.0
NEAR_M = 100.0
LEAST_MS = 180_000  # Three minutes or more (SAFE18).
MS_PER_H = 3.6e3  # m/ms to km/h


@dataclass(frozen=True, slots=True)
class Standstill:
    """A stay in one place, epoch ms; `silence_ms` is the longest time without a fix in it, for officials to weigh."""

    from_ts: int
    to_ts: int
    silence_ms: int

    @property
    def duration_ms(self) -> int:
        return self.to_ts - self.from_ts


def credit_proposal(fixes: Fixes, lat: float, lon: float) -> Standstill | None:
    """The longest standstill of an entry at the incident (degrees) if it lasted three minutes, else None.

    `fixes` are of all its devices; the first by code that stood there at all is believed.
    """
    for code in fixes.codes():
        stays = list(standstills(fixes.of_device(code), lat, lon))
        if stays:
            longest = max(stays, key=lambda stay: stay.duration_ms)
            return longest if longest.duration_ms >= LEAST_MS else None
    return None


def standstills(fixes: Fixes, lat: float, lon: float) -> Iterator[Standstill]:
    """Every run of fixes of one device below 3 km/h and within 100 m of the place, in order."""
    if not len(fixes):
        return
    near = distance_m(fixes.lat, fixes.lon, lat, lon) <= NEAR_M
    still = np.concatenate(([False], near & (_speeds(fixes) < SLOW_KMH), [False]))
    starts, ends = np.flatnonzero(~still[:-1] & still[1:]), np.flatnonzero(still[:-1] & ~still[1:])
    for start, end in zip(starts, ends, strict=True):
        ts = fixes.ts[start:end]
        yield Standstill(int(ts[0]), int(ts[-1]), int(np.diff(ts).max(initial=0)))


def _speeds(fixes: Fixes) -> NDArray[np.float64]:
    """Speeds in km/h; where the device gave none, that of the chord from the fix before."""
    metres = distance_m(fixes.lat[:-1], fixes.lon[:-1], fixes.lat[1:], fixes.lon[1:])
    chords = np.concatenate(([np.inf], metres / np.diff(fixes.ts) * MS_PER_H))
    return np.where(np.isnan(fixes.speed), chords, fixes.speed)
