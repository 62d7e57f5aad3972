"""The viewers of an event's positions, by what they may see and how late."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.events.audience import Audience
from apps.live import protocol
from apps.live.protocol import Frame
from apps.live.queries import LastFix
from apps.live.viewer import Viewer

PositionEntry = dict[str, Any]


@dataclass(slots=True, eq=False)
class Lane:
    """Those who hear with the same delay, by audience: each audience's frames are encoded once.

    `latest` is the ts of the last position handed out of each IMEI.
    """

    delay_ms: int
    viewers: dict[Audience, set[Viewer]] = field(default_factory=dict)
    latest: dict[str, int] = field(default_factory=dict)

    def is_news(self, fix: LastFix) -> bool:
        """Late uploads are for the results; the map shows where a crew is."""
        return fix.position.ts > self.latest.get(fix.carried.imei, -1)

    def hand_out(self, fixes: Sequence[LastFix], running: frozenset[str]) -> None:
        """Each socket is written to once, whatever the number of fixes. One of each device at most."""
        self.latest |= {fix.carried.imei: fix.position.ts for fix in fixes}
        every = [Frames(fix) for fix in fixes]
        for audience, viewers in self.viewers.items():
            states = {
                frames.imei: frames.of(official=audience.official)
                for frames in every
                if self._shows(audience, frames.entry, running)
            }
            if states:
                all_ = protocol.together(list(states.values()))
                for viewer in viewers:
                    viewer.place(every[0].topic, states, all_)

    def _shows(self, audience: Audience, entry: str, running: frozenset[str]) -> bool:
        return audience.delay_of(entry) == self.delay_ms and audience.may_see(entry, running)


class Frames:
    """The frames of one position, encoded when the first of each audience is met."""

    def __init__(self, fix: LastFix) -> None:
        self.topic = f"event:{fix.carried.event}"
        self.imei, self.entry = fix.carried.imei, fix.carried.entry
        self._fix = fix
        self._made: dict[bool, Frame] = {}

    def of(self, *, official: bool) -> Frame:
        if official not in self._made:
            fields = entry(self._fix, official=official)
            self._made[official] = protocol.frame("position", topic=self.topic, **fields)
        return self._made[official]


@dataclass(slots=True, eq=False)
class Room:
    """An event's lanes, by delay. `running` are the entries inside a running stage, kept for crews alone.

    `arrived` is by IMEI what is to be handed out at once.
    """

    lanes: dict[int, Lane] = field(default_factory=dict)
    arrived: dict[str, LastFix] = field(default_factory=dict)
    running: frozenset[str] = frozenset()

    def enter(self, viewer: Viewer, audience: Audience) -> bool:
        """False where the viewer was in already."""
        lanes = [self.lanes.setdefault(delay, Lane(delay)) for delay in delays(audience)]
        groups = [lane.viewers.setdefault(audience, set()) for lane in lanes]
        was_in = viewer in groups[0]
        for group in groups:
            group.add(viewer)
        return not was_in

    def leave(self, viewer: Viewer, audience: Audience) -> bool:
        """False where the viewer was not in."""
        was_in = False
        for delay in delays(audience) & self.lanes.keys():
            lane = self.lanes[delay]
            group = lane.viewers.get(audience, set())
            was_in = was_in or viewer in group
            group.discard(viewer)
            _sweep(self.lanes, lane, audience)
        return was_in

    def is_later(self, fix: LastFix) -> bool:
        held = self.arrived.get(fix.carried.imei)
        return held is None or fix.position.ts > held.position.ts

    @property
    def has_crews(self) -> bool:
        return any(audience.own for lane in self.lanes.values() for audience in lane.viewers)


def delays(audience: Audience) -> set[int]:
    """The lanes of an audience: a crew's own positions come at once, the others' later."""
    return {0} if audience.official else {audience.delay_ms, *([0] if audience.own else [])}


def _sweep(lanes: dict[int, Lane], lane: Lane, audience: Audience) -> None:
    if not lane.viewers.get(audience):
        lane.viewers.pop(audience, None)
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
