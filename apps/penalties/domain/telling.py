"""Inputs of a penalty as words: the end of a name tells its unit, as everywhere in the domain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from apps.common.said import Listed, Said, listed
from apps.penalties.domain.formulas import clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Mapping[str, str] = {"_kmh": "km/h", "_minutes": "min", "_seconds": "s", "_percent": "%"}
# As many pulses as anyone listens to; all of them are in the inputs.
_TOLD = 20
_CODED = frozenset(
    {"control_kind", "first_pulse", "kind", "mode", "per", "rounding", "scope", "source", "target", "unit"}
)
_SUFFIXES = ("_ts", "_ms", *_UNITS)
_ANSWERS: Mapping[bool | None, Said] = {True: Said("yes"), False: Said("no"), None: Said("none")}
# Names of inputs, without the ends that tell their units; one that is not here is told as it stands in the code.
LABELS = frozenset(
    {
        Said("add maximum"),
        Said("add value"),
        Said("allowance"),
        Said("allowed"),
        Said("allotted"),
        Said("actual"),
        Said("assigned"),
        Said("cap"),
        Said("closes"),
        Said("count"),
        Said("count missed"),
        Said("control"),
        Said("control kind"),
        Said("discrepancy"),
        Said("driven"),
        Said("due"),
        Said("earlier"),
        Said("early"),
        Said("early free"),
        Said("earliest exit"),
        Said("entered"),
        Said("excess"),
        Said("exit"),
        Said("fine"),
        Said("first pulse"),
        Said("gap begins"),
        Said("gap ends"),
        Said("give back"),
        Said("given in leg"),
        Said("gps counts"),
        Said("incident"),
        Said("infringement"),
        Said("intervals"),
        Said("kind"),
        Said("last fix"),
        Said("late"),
        Said("limit"),
        Said("max late"),
        Said("maximum"),
        Said("min fixes"),
        Said("minimum"),
        Said("minutes"),
        Said("needed"),
        Said("next fix"),
        Said("mode"),
        Said("note"),
        Said("order"),
        Said("over"),
        Said("passed"),
        Said("peak"),
        Said("per"),
        Said("place"),
        Said("pulse"),
        Said("pulse m"),
        Said("pulses"),
        Said("recorded"),
        Said("repeat"),
        Said("reported"),
        Said("rounding"),
        Said("scheduled"),
        Said("scope"),
        Said("seconds"),
        Said("segment"),
        Said("source"),
        Said("spikes"),
        Said("stage status"),
        Said("statuses"),
        Said("tolerance"),
        Said("total"),
        Said("unit"),
        Said("validated"),
        Said("value"),
        Said("waypoint"),
        Said("waypoint type"),
        Said("zone"),
    }
)
# Codes that rules name as their target or mode, and reports as their kind or source.
CODES: Mapping[str, Said] = {
    "accident": Said("accident"),
    "beam": Said("beam"),
    "blocked": Said("track blocked"),
    "breakdown": Said("breakdown"),
    "card": Said("card"),
    "early": Said("too early"),
    "false_start": Said("false start"),
    "fire": Said("fire"),
    "flat_max": Said("flat, highest excess"),
    "gps": Said("GPS"),
    "event": Said("event"),
    "injury": Said("injury"),
    "late": Said("too late"),
    "liaison": Said("liaison"),
    "main_otl": Said("out of time at a main control"),
    "main_out": Said("leaving a main control early or late"),
    "after_interval": Said("after the first interval"),
    "ceil": Said("rounded up"),
    "floor": Said("rounded down"),
    "leg": Said("leg"),
    "minute": Said("minute"),
    "onset": Said("as soon as it begins"),
    "second": Said("second"),
    "stage": Said("stage"),
    "marginal": Said("marginal, per km/h"),
    "marshal": Said("marshal"),
    "not_ready": Said("not ready to start"),
    "other": Said("other"),
    "otl": Said("out of time"),
    "per_impulse": Said("per impulse"),
    "per_second": Said("per second"),
    "special": Said("special stage"),
    "timekeeper": Said("timekeeper"),
    "whole": Said("highest bracket for every impulse"),
}


def word(code: str) -> str:
    """What a code says; one of an organiser's own is told as it is written, without underscores."""
    return CODES.get(code) or code.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Teller:
    """How inputs are told: the zone of the clock, and names in place of ids."""

    zone: tzinfo = UTC
    names: Mapping[str, str] = field(default_factory=dict)

    def at(self, ts: int) -> str:
        """An instant (epoch ms) as HH:MM:SS of the zone, with milliseconds only where there are any."""
        local = (_EPOCH + timedelta(milliseconds=ts)).astimezone(self.zone)
        return f"{local:%H:%M:%S}" + (f".{ts % 1000:03}" if ts % 1000 else "")

    def value(self, name: str, value: Any) -> Listed | str:
        """The value of an input, with its unit."""
        if name in _LISTS:
            return _LISTS[name](self, value)
        if isinstance(value, bool) or value is None:
            return _ANSWERS[value]
        if isinstance(value, int | float):
            return self._number(name, value)
        return self.names.get(str(value)) or (word(str(value)) if name in _CODED else str(value))

    def label(self, name: str) -> Said:
        """The name of an input in words, without its unit."""
        suffix = next((s for s in _SUFFIXES if name.endswith(s)), "")
        return Said(name.removesuffix(suffix).replace("_", " "))

    def labelled(self, name: str, value: Any) -> Listed:
        """An input with its name, e.g. "limit 50 km/h"."""
        return listed([self.label(name), self.value(name, value)], by=" ")

    def _number(self, name: str, value: float) -> str:
        if name.endswith("_ts"):
            return self.at(int(value))
        if name.endswith("_ms"):
            return clock(int(value))
        unit = next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "")
        return f"{round(value, 1):.10g} {unit}".rstrip()

    def _pulses(self, pulses: Any) -> Listed:
        each = [Said("%(excess)s km/h over at %(time)s", excess=over, time=self.at(ts)) for ts, over in pulses[:_TOLD]]
        more = ["…"] if len(pulses) > _TOLD else []
        return listed([f"{len(pulses)}:", listed([*each, *more])], by=" ")

    def _spikes(self, spikes: Any) -> Listed:
        each = ((f"{round(speed, 1):g}", self.at(ts)) for ts, speed in spikes)
        return listed(Said("%(speed)s km/h at %(time)s", speed=speed, time=time) for speed, time in each)

    def _intervals(self, intervals: Any) -> Listed:
        ends = ((self.at(a), Said("the end") if b is None else self.at(b)) for a, b in intervals)
        return listed(Said("%(start)s to %(end)s", start=start, end=end) for start, end in ends)

    def _place(self, place: Any) -> str:
        return "{:.5f}, {:.5f}".format(*place)


_LISTS: Mapping[str, Callable[[Teller, Any], Listed | str]] = {
    "pulses": Teller._pulses,
    "spikes": Teller._spikes,
    "intervals": Teller._intervals,
    "place": Teller._place,
}
