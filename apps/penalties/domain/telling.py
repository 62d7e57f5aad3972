"""Inputs of a penalty as words: the end of a name tells its unit, as everywhere in the domain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from apps.penalties.domain.formulas import clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Mapping[str, str] = {"_kmh": "km/h", "_minutes": "min", "_seconds": "s", "_percent": "%"}
# As many pulses as anyone listens to; all of them are in the inputs.
_TOLD = 20
_SUFFIXES = ("_ts", "_ms", *_UNITS)


@dataclass(frozen=True, slots=True)
class Teller:
    """How inputs are told: the zone of the clock, and names in place of ids."""

    zone: tzinfo = UTC
    names: Mapping[str, str] = field(default_factory=dict)

    def at(self, ts: int) -> str:
        """An instant (epoch ms) as HH:MM:SS of the zone, with milliseconds only where there are any."""
        local = (_EPOCH + timedelta(milliseconds=ts)).astimezone(self.zone)
        return f"{local:%H:%M:%S}" + (f".{ts % 1000:03}" if ts % 1000 else "")

    def value(self, name: str, value: Any) -> str:
        """The value of an input, with its unit."""
        if name in _LISTS:
            return _LISTS[name](self, value)
        if isinstance(value, bool) or value is None:
            return {True: "yes", False: "no", None: "none"}[value]
        if isinstance(value, int | float):
            return self._number(name, value)
        return self.names.get(str(value), str(value))

    def labelled(self, name: str, value: Any) -> str:
        """An input with its name, e.g. "limit 50 km/h"."""
        suffix = next((s for s in _SUFFIXES if name.endswith(s)), "")
        return f"{name.removesuffix(suffix).replace('_', ' ')} {self.value(name, value)}"

    def _number(self, name: str, value: float) -> str:
        if name.endswith("_ts"):
            return self.at(int(value))
        if name.endswith("_ms"):
            return clock(int(value))
        unit = next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "")
        return f"{round(value, 1):.10g} {unit}".rstrip()

    def _pulses(self, pulses: Any) -> str:
        told = ", ".join(f"{excess} km/h over at {self.at(ts)}" for ts, excess in pulses[:_TOLD])
        return f"{len(pulses)}: {told}" + (", …" if len(pulses) > _TOLD else "")

    def _spikes(self, spikes: Any) -> str:
        return ", ".join(f"{round(speed, 1):g} km/h at {self.at(ts)}" for ts, speed in spikes)

    def _intervals(self, intervals: Any) -> str:
        return ", ".join(f"{self.at(a)} to {'the end' if b is None else self.at(b)}" for a, b in intervals)

    def _place(self, place: Any) -> str:
        return "{:.5f}, {:.5f}".format(*place)


_LISTS: Mapping[str, Callable[[Teller, Any], str]] = {
    "pulses": Teller._pulses,
    "spikes": Teller._spikes,
    "intervals": Teller._intervals,
    "place": Teller._place,
}
