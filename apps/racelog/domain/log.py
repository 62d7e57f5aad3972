"""The race-control log read: what is ready, held, stopped, settled and still to be heard (rulebook 8.3, 9.3, 9.4).

The log is lines in the order in which they were written. A line is never changed: another one takes it back. So
what holds now is what is left of the lines, and is computed, not kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a line says."""

    NOTE = "note"
    GO = "go"
    NO_GO = "no-go"
    HOLD = "hold"
    RELEASE = "release"
    RED = "red"
    GREEN = "green"
    NOTIONAL = "notional"
    FALSE_START = "false-start"
    INCIDENT = "incident"
    SETTLED = "settled"
    PROTEST = "protest"
    HEARD = "heard"
    DONE = "done"
    TAKEN_BACK = "taken-back"


@dataclass(frozen=True, slots=True)
class Line:
    """A line as far as it says what holds.

    `about` is whose go it is (a service, or the id of a control), what contradiction was settled, or the id of the
    line that this one answers: of a red signal its notional times, of a protest how it was heard, of what was taken
    back the line.
    """

    id: str
    kind: Kind
    stage: str
    ts: int
    about: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class StageState:
    """What holds for a stage: the last word of each service and control; the hold and the red signal in force.

    `since` (epoch ms) is when it was frozen, by whichever came first of what is in force now; None where it is not.
    """

    ready: Mapping[str, Line] = field(default_factory=dict)
    hold: Line | None = None
    red: Line | None = None
    since: int | None = None
    stops: tuple[Line, ...] = ()  # every red signal, also those that are over

    @property
    def frozen(self) -> bool:
        """Whether nobody may start."""
        return self.hold is not None or self.red is not None

    def missing(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Who of `wanted` has not said go, in their order."""
        return tuple(one for one in wanted if one not in self.ready or self.ready[one].kind is not Kind.GO)


def in_force(lines: Iterable[Line]) -> list[Line]:
    """The lines that were not taken back, without those that take back, in their order."""
    ordered = list(lines)
    gone = {line.about for line in ordered if line.kind is Kind.TAKEN_BACK}
    return [line for line in ordered if line.kind is not Kind.TAKEN_BACK and line.id not in gone]


def stage_state(lines: Iterable[Line], stage: str) -> StageState:
    """What holds for a stage."""
    mine = [line for line in in_force(lines) if line.stage == stage]
    return StageState(
        ready={line.about: line for line in mine if line.kind in (Kind.GO, Kind.NO_GO)},
        hold=_open(mine, Kind.HOLD, Kind.RELEASE),
        red=_open(mine, Kind.RED, Kind.GREEN),
        since=_frozen_since(mine),
        stops=tuple(line for line in mine if line.kind is Kind.RED),
    )


def settled(lines: Iterable[Line], stage: str) -> frozenset[tuple[str, str]]:
    """(entry, contradiction) of what an official has looked at and settled."""
    mine = in_force(lines)
    return frozenset((line.entry, line.about) for line in mine if line.kind is Kind.SETTLED and line.stage == stage)


def open_protests(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Those that nobody has heard yet, in the order in which they were lodged."""
    mine = in_force(lines)
    heard = {line.about for line in mine if line.kind is Kind.HEARD}
    return tuple(line for line in mine if line.kind is Kind.PROTEST and line.id not in heard)


def rests_on(line: Line, lines: Iterable[Line]) -> Line | None:
    """The line that would hang in the air if `line` were taken back, None where there is none."""
    mine = in_force(lines)
    place = next((n for n, one in enumerate(mine) if one.id == line.id), None)
    if place is None:
        return None
    return next((one for one in mine[place + 1 :] if _answers(one, line)), None)


ENDS = {Kind.HOLD: Kind.RELEASE, Kind.RED: Kind.GREEN, Kind.RELEASE: Kind.HOLD, Kind.GREEN: Kind.RED}


def _answers(later: Line, line: Line) -> bool:
    """Whether a later line only makes sense with this one: the end of a hold, its times, the next hold."""
    if later.about == line.id:
        return True
    return later.stage == line.stage and ENDS.get(line.kind) is later.kind


def _frozen_since(lines: Sequence[Line]) -> int | None:
    """When the starts stopped for the last time, None where they go on: a hold may outlast the red signal within it."""
    held: set[Kind] = set()
    since = None
    for line in lines:
        if line.kind in (Kind.HOLD, Kind.RED):
            since = since if held else line.ts
            held.add(line.kind)
        elif line.kind in (Kind.RELEASE, Kind.GREEN):
            held.discard(ENDS[line.kind])
    return since if held else None


def _open(lines: Sequence[Line], begin: Kind, end: Kind) -> Line | None:
    last = next((line for line in reversed(lines) if line.kind in (begin, end)), None)
    return last if last is not None and last.kind is begin else None
