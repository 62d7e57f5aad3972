"""From crossings to passages: the crossing that counts at a control, from all devices of one entry."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from apps.course.domain.crossings import Crossing
from apps.timing.domain.plan import ControlPoint, Pick, StagePlan

Record = Mapping[str, Sequence[Crossing]]
"""Crossings of one entry by control, each sequence by time."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The crossing that counts, of the lowest device code that has one; `evidence` has one per device."""

    crossing: Crossing
    evidence: tuple[Crossing, ...]

    @property
    def ts(self) -> int:
        """The instant of the passage, epoch ms."""
        return self.crossing.ts

    def per_device(self) -> dict[int, int]:
        """The instant by each device's own evidence, epoch ms by device code."""
        return {crossing.device: crossing.ts for crossing in self.evidence}


@dataclass(frozen=True, slots=True)
class Window:
    """The instants a passage may have, epoch ms: from (inclusive), until (inclusive, None = open).

    `after` are instants by device that a crossing of that device must come after: two devices of one
    vehicle see a gate some tenths apart, and the later of them must not pass for a second crossing.
    """

    from_ts: int
    to_ts: int | None = None
    after: Mapping[int, int] = field(default_factory=dict)

    def holds(self, crossing: Crossing) -> bool:
        """Whether the crossing may be used."""
        return self.holds_instant(crossing.ts) and crossing.ts > self.after.get(crossing.device, self.from_ts - 1)

    def holds_instant(self, ts: int) -> bool:
        """Whether an instant lies within."""
        return ts >= self.from_ts and (self.to_ts is None or ts <= self.to_ts)


def record(crossings: Iterable[Crossing], plan: StagePlan, also: Iterable[str] = ()) -> Record:
    """The crossings of the plan's controls, and of others named, within the stage's window, by control and time.

    The order in which they are given does not matter.
    """
    controls = plan.controls() | set(also)
    used = (c for c in crossings if c.control in controls and plan.contains(c.ts))
    by_control: dict[str, list[Crossing]] = {}
    for crossing in sorted(used, key=_sequence):
        by_control.setdefault(crossing.control, []).append(crossing)
    return by_control


def passage(crossings: Record, point: ControlPoint, window: Window, following: Iterable[str] = ()) -> Passage | None:
    """The passage of a control within the window, or None.

    `following` names the controls that end the choice of `Pick.LAST_BEFORE_NEXT`.
    """
    candidates = [c for c in crossings.get(point.control, ()) if _counts(c, point) and window.holds(c)]
    if not candidates:
        return None
    if point.pick is Pick.LAST_BEFORE_NEXT:
        end = _first_after(crossings, following, candidates[0].ts)
        candidates = [c for c in candidates if end is None or c.ts <= end]
    return _merge(candidates, point.pick)


def _merge(candidates: Sequence[Crossing], pick: Pick) -> Passage:
    index = 0 if pick is Pick.FIRST else -1
    by_device = groupby(sorted(candidates, key=lambda c: c.device), key=lambda c: c.device)
    evidence = tuple(list(group)[index] for _, group in by_device)
    return Passage(evidence[0], evidence)


def _counts(crossing: Crossing, point: ControlPoint) -> bool:
    return crossing.direction is point.direction


def _first_after(crossings: Record, controls: Iterable[str], ts: int) -> int | None:
    instants = (c.ts for control in controls for c in crossings.get(control, ()) if c.ts > ts)
    return min(instants, default=None)


def _sequence(crossing: Crossing) -> tuple[int, int, int, float, int, str]:
    # A chord may enter and leave within one millisecond; its fraction still tells which came first.
    c = crossing
    return c.ts, c.device, c.before_ts, c.fraction, c.occurrence, c.direction.value
