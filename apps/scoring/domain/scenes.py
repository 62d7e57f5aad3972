"""What there is to see of a penalty: which controls, which stretches of the track, which instants."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.scoring.domain.reach import Stretch, apart

# Of the track before and after what happened: enough to see where a crew came from.
MARGIN_MS = 12_000
# Longer stays in a zone are shown around the fixes over the limit alone.
LONGEST_MS = 600_000
AROUND_MS = 30_000
# What is written into a card has its seconds dropped: the passage lies somewhere in that minute.
MINUTE_MS = 60_000

Inputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ends:
    """The controls a segment begins and ends at, "" where it has none, and those between."""

    start: str = ""
    finish: str = ""
    between: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """`controls` are drawn and their passages listed; `marks` name instants (epoch ms) of the track.

    `nearest` is a control whose closest approach is shown: when that was, only the track can tell.
    """

    controls: tuple[str, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    marks: tuple[tuple[str, int], ...] = ()
    nearest: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """The course around a penalty: the ends of the stage's segments, and the controls of its zones."""

    segments: Mapping[str, Ends]
    zones: Mapping[str, tuple[str, ...]]

    def ends(self, inputs: Inputs) -> Ends:
        return self.segments.get(str(inputs.get("segment")), Ends())

    def everywhere(self) -> tuple[str, ...]:
        """Every control of the stage, in driving order."""
        of_segments = (c for ends in self.segments.values() for c in (ends.start, *ends.between, ends.finish))
        return _named(of_segments)


def scene(type_: str, inputs: Inputs, setting: Setting) -> Scene:
    """What to show of a penalty of a type; of one about the whole stage its controls, without a track.

    So too of one issued by an older engine, whose inputs may lack what the scene needs.
    """
    try:
        return SCENES[type_](inputs, setting)
    except KeyError:
        pass
    ends = setting.ends(inputs)
    return Scene(_named((ends.start, ends.finish)) or setting.everywhere())


def _speed_zone(inputs: Inputs, setting: Setting) -> Scene:
    over = sorted(inputs["fixes"])
    intervals = [(a, b) for a, b in inputs["intervals"]]
    ended = [(a, max([a, *over]) if b is None else b) for a, b in intervals]
    marks = [("zone_begins", a) for a, _ in intervals] + [("zone_ends", b) for _, b in intervals if b is not None]
    peak = [("peak", inputs["peak_ts"])] if "peak_ts" in inputs else []
    return Scene(setting.zones.get(str(inputs.get("zone")), ()), tuple(_visible(ended, over)), (*marks, *peak))


def _visible(intervals: Iterable[Stretch], over: Iterable[int]) -> list[Stretch]:
    found: list[Stretch] = []
    for a, b in intervals:
        if b - a <= LONGEST_MS:
            found.append((a - MARGIN_MS, b + MARGIN_MS))
        else:
            found += [(ts - AROUND_MS, ts + AROUND_MS) for ts in over if a <= ts <= b]
    return apart(found)


def _missed(inputs: Inputs, setting: Setting) -> Scene:
    """The closest approach; of one not proved the way around the gap in which it may have been passed."""
    waypoint = str(inputs["waypoint"])
    if "gap_begins_ts" not in inputs:
        return Scene((waypoint,), nearest=waypoint)
    begin, end = inputs["gap_begins_ts"], inputs["gap_ends_ts"]
    stretches = apart([(begin - AROUND_MS, begin), (end, end + AROUND_MS)])
    return Scene((waypoint,), tuple(stretches), (("gap_begins", begin), ("gap_ends", end)), nearest=waypoint)


def _closed(inputs: Inputs, setting: Setting) -> Scene:
    return _moments((str(inputs["waypoint"]),), ("passed", inputs["passed_ts"]))


def _time_control(inputs: Inputs, setting: Setting) -> Scene:
    at = inputs["recorded_ts"] if "recorded_ts" in inputs else inputs["due_ts"]  # missed: where it was then
    stretch = (at - MARGIN_MS, at + MINUTE_MS + MARGIN_MS)
    return Scene((str(inputs["control"]),), (stretch,))


def _late_start(inputs: Inputs, setting: Setting) -> Scene:
    return _moments(_named((setting.ends(inputs).start,)), ("started", inputs["actual_ts"]))


def _neutralisation(inputs: Inputs, setting: Setting) -> Scene:
    ends = setting.ends(inputs)
    return _moments(_named((ends.start, ends.finish)), ("entered", inputs["entered_ts"]), ("left", inputs["exit_ts"]))


def _moments(controls: tuple[str, ...], *marks: tuple[str, int]) -> Scene:
    return Scene(controls, tuple(apart((ts - AROUND_MS, ts + AROUND_MS) for _, ts in marks)), marks)


SCENES: Mapping[str, Callable[[Inputs, Setting], Scene]] = {
    "speed_zone": _speed_zone,
    "missed_waypoint": _missed,
    "closed_control": _closed,
    "time_control": _time_control,
    "late_start": _late_start,
    "neutralisation": _neutralisation,
}


def _named(controls: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(control for control in controls if control))
