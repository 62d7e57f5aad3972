"""Fixes in columns: what crossings are detected in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Fixes:
    """Fixes of one or many devices, rows sorted by (device, ts) and unique on it.

    `device` is a code the caller keeps the meaning of, `ts` epoch ms, `lat` and `lon` degrees WGS 84,
    `speed` km/h, NaN where unknown.
    """

    device: NDArray[np.int32]
    ts: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    speed: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ts)

    @classmethod
    def build(
        cls,
        device: ArrayLike,
        ts: ArrayLike,
        lat: ArrayLike,
        lon: ArrayLike,
        speed: ArrayLike | None = None,
        usable: ArrayLike | None = None,
    ) -> "Fixes":
        """Sort the rows and leave out those that do not count (design §4): not usable, out of range, (0, 0).

        Of rows with the same device and ts the one that comes first is kept, as the table keeps it.
        """
        times, lats, lons = np.asarray(ts, np.int64), np.asarray(lat, np.float64), np.asarray(lon, np.float64)
        codes = np.broadcast_to(np.asarray(device, np.int32), times.shape)
        speeds = np.full(times.shape, np.nan) if speed is None else np.asarray(speed, np.float64)
        keep = (np.abs(lats) <= 90) & (np.abs(lons) <= 180) & ~((lats == 0) & (lons == 0))
        if usable is not None:
            keep &= np.asarray(usable, bool)
        kept = np.flatnonzero(keep)
        order = kept[np.lexsort((times[kept], codes[kept]))]
        fixes = cls(codes[order], times[order], lats[order], lons[order], speeds[order])
        first = np.ones(len(fixes), bool)
        first[1:] = (fixes.device[1:] != fixes.device[:-1]) | (fixes.ts[1:] != fixes.ts[:-1])
        return fixes if first.all() else fixes._take(first)

    @classmethod
    def joined(cls, parts: Sequence["Fixes"]) -> "Fixes":
        """All fixes of some parts, of which there is one at least, sorted anew."""
        columns = ("device", "ts", "lat", "lon", "speed")
        return cls.build(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))

    def between(self, from_ts: int, to_ts: int) -> "Fixes":
        """The fixes from one instant to another, both included."""
        return self._take((self.ts >= from_ts) & (self.ts <= to_ts))

    def of_device(self, code: int) -> "Fixes":
        low, high = np.searchsorted(self.device, [code, code + 1])
        return self._take(slice(int(low), int(high)))

    def of_devices(self, codes: range) -> "Fixes":
        """The fixes of neighbouring codes, which then count from 0."""
        low, high = np.searchsorted(self.device, [codes.start, codes.stop])
        mine = self._take(slice(int(low), int(high)))
        return Fixes(mine.device - np.int32(codes.start), mine.ts, mine.lat, mine.lon, mine.speed)

    def stretch(self, first: int, beyond: int, between: tuple[int, int]) -> "Fixes":
        """Of the rows from `first` to `beyond`, all of one device, those between two instants, both included."""
        ts = self.ts[first:beyond]
        low, high = np.searchsorted(ts, between[0]), np.searchsorted(ts, between[1], "right")
        return self._take(slice(first + int(low), first + int(high)))

    def codes(self) -> Sequence[int]:
        """The device codes present, ascending."""
        return [int(code) for code in np.unique(self.device)]

    def _take(self, rows: NDArray[np.bool_] | slice) -> "Fixes":
        return Fixes(self.device[rows], self.ts[rows], self.lat[rows], self.lon[rows], self.speed[rows])
