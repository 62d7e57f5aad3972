"""The viewers of an event's positions, by what they may see, how late, and how often they are written to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.events.audience import Audience
from apps.live import protocol
from apps.live.protocol import Frame
from apps.live.queries import LastFix
from apps.live.viewer import Viewer

PositionEntry = dict[str, Any]


WRITE_S = 40e-6  # between two writes, all sockets together: so viewers take a third of a core, however many fixes come
BATCH_S = 0.25  # between two batches to the same viewer


@dataclass(frozen=True, slots=True)
class Hearing:
    """As whom somebody follows, and whether they asked for all that came since the last time in one frame."""

    audience: Audience
    batch: bool = False


@dataclass(slots=True, eq=False)
class Lane:
    """Those who hear with the same delay: the frames of each hearing are encoded once.

    `latest` is the ts of the last position handed out of each IMEI.
    """

    delay_ms: int
    viewers: dict[Hearing, set[Viewer]] = field(default_factory=dict)
    latest: dict[str, int] = field(default_factory=dict)

    def is_news(self, fix: LastFix) -> bool:
        """Late uploads are for the results; the map shows where a crew is."""
        return fix.position.ts > self.latest.get(fix.carried.imei, -1)

    def count(self, *, batch: bool) -> int:
        return sum(len(viewers) for hearing, viewers in self.viewers.items() if hearing.batch is batch)

    def hand_out(self, fixes: Sequence[LastFix], running: frozenset[str], *, batch: bool) -> None:
        """Each socket is written to once, whatever the number of fixes. One of each device at most."""
        self.latest |= {fix.carried.imei: fix.position.ts for fix in fixes}
        every = [Frames(fix) for fix in fixes]
        for hearing, viewers in self.viewers.items():
            shown = [frames for frames in every if self._shows(hearing.audience, frames.entry, running)]
            if hearing.batch is batch and shown:
                _hand(shown, hearing, viewers)

    def _shows(self, audience: Audience, entry: str, running: frozenset[str]) -> bool:
        return audience.delay_of(entry) == self.delay_ms and audience.may_see(entry, running)


def _hand(shown: "Sequence[Frames]", hearing: Hearing, viewers: Iterable[Viewer]) -> None:
    official = hearing.audience.official
    states = {frames.imei: frames.of(official=official) for frames in shown}
    all_ = batch_of(shown, official=official) if hearing.batch else protocol.together(list(states.values()))
    for viewer in viewers:
        viewer.place(shown[0].topic, states, all_)


class Frames:
    """The frames of one position, encoded when the first of each audience is met."""

    def __init__(self, fix: LastFix) -> None:
        self.topic = f"event:{fix.carried.event}"
        self.imei, self.entry = fix.carried.imei, fix.carried.entry
        self._fix = fix
        self._made: dict[bool, Frame] = {}

    def of(self, *, official: bool) -> Frame:
        if official not in self._made:
            self._made[official] = protocol.frame("position", topic=self.topic, **self.entry_of(official=official))
        return self._made[official]

    def entry_of(self, *, official: bool) -> PositionEntry:
        return entry(self._fix, official=official)


def batch_of(shown: Sequence[Frames], *, official: bool) -> Frame:
    """One frame of several positions: a browser wakes up once for it, and compressed it is a tenth as long."""
    return protocol.frame("positions", topic=shown[0].topic, positions=[of.entry_of(official=official) for of in shown])


@dataclass(slots=True, eq=False)
class Turn:
    """What arrived for those who hear one at a time, or in batches; the latest of each device, by IMEI."""

    batch: bool
    arrived: dict[str, LastFix] = field(default_factory=dict)
    due: float = 0.0  # time.monotonic() of the next hand-out; one that was long ago makes nobody wait

    def note(self, fix: LastFix) -> None:
        held = self.arrived.get(fix.carried.imei)
        if held is None or fix.position.ts > held.position.ts:
            self.arrived[fix.carried.imei] = fix

    def take(self, now: float, viewers: int) -> list[LastFix]:
        """What waits; the next such turn is the later, the more viewers there are."""
        fixes, self.arrived = list(self.arrived.values()), {}
        self.due = now + max(BATCH_S if self.batch else 0.0, viewers * WRITE_S)
        return fixes


@dataclass(slots=True, eq=False)
class Room:
    """An event's lanes, by delay. `running` are the entries inside a running stage, kept for crews alone."""

    lanes: dict[int, Lane] = field(default_factory=dict)
    turns: tuple[Turn, Turn] = field(default_factory=lambda: (Turn(batch=False), Turn(batch=True)))
    running: frozenset[str] = frozenset()

    def enter(self, viewer: Viewer, hearing: Hearing) -> bool:
        """False where the viewer was in already."""
        lanes = [self.lanes.setdefault(delay, Lane(delay)) for delay in delays(hearing.audience)]
        groups = [lane.viewers.setdefault(hearing, set()) for lane in lanes]
        was_in = viewer in groups[0]
        for group in groups:
            group.add(viewer)
        return not was_in

    def leave(self, viewer: Viewer, hearing: Hearing) -> bool:
        """False where the viewer was not in."""
        was_in = False
        for delay in delays(hearing.audience) & self.lanes.keys():
            lane = self.lanes[delay]
            group = lane.viewers.get(hearing, set())
            was_in = was_in or viewer in group
            group.discard(viewer)
            _sweep(self.lanes, lane, hearing)
        return was_in

    def note(self, fix: LastFix) -> bool:
        """Keep it for those who see everything at once; False where it is none of their news."""
        lane = self.lanes.get(0)
        if lane is None or not lane.is_news(fix):
            return False
        for turn in self.turns:
            turn.note(fix)
        return True

    def due(self) -> float | None:
        """When something is to be handed out (time.monotonic()); None where nothing waits."""
        return min((turn.due for turn in self.turns if turn.arrived), default=None)

    def hand_out(self, now: float) -> None:
        """What is due, to those who see everything at once."""
        lane = self.lanes.get(0) or Lane(0)
        for turn in self.turns:
            if turn.arrived and turn.due <= now:
                fixes = turn.take(now, lane.count(batch=turn.batch))
                lane.hand_out(fixes, self.running, batch=turn.batch)

    @property
    def has_crews(self) -> bool:
        return any(hearing.audience.own for lane in self.lanes.values() for hearing in lane.viewers)


def delays(audience: Audience) -> set[int]:
    """The lanes of an audience: a crew's own positions come at once, the others' later."""
    return {0} if audience.official else {audience.delay_ms, *([0] if audience.own else [])}


def _sweep(lanes: dict[int, Lane], lane: Lane, hearing: Hearing) -> None:
    if not lane.viewers.get(hearing):
        lane.viewers.pop(hearing, None)
    if not lane.viewers:
        del lanes[lane.delay_ms]


def entry(fix: LastFix, *, official: bool) -> PositionEntry:
    """A PositionEntry (contracts §4). Only officials get the IMEI and the IO bag, which may hold others."""
    carried, position = fix.carried, fix.position
    found: PositionEntry = {
        "entryId": carried.entry,
        "raceNumber": carried.race_number,
        "lat": position.latitude,
        "lon": position.longitude,
        "ts": position.ts,
    }
    optional: Iterable[tuple[str, Any]] = (("speed", position.speed), ("course", position.angle))
    found |= {name: value for name, value in optional if value}
    accuracy = position.attributes.get("accuracy")
    found |= {"accuracy": accuracy} if isinstance(accuracy, int | float) else {}
    if official:
        found["deviceId"] = position.device_id
        found |= {"attributes": position.attributes} if position.attributes else {}
    return found
