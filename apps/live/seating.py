"""What can be followed in this process, and how each kind of topic is entered and left."""

from dataclasses import dataclass
from typing import Any

from apps.events.audience import Audience
from apps.live import protocol
from apps.live.hub import Hub
from apps.live.positions import Positions
from apps.live.protocol import Kind, Topic
from apps.live.rooms import Hearing
from apps.live.states import Seat, States
from apps.live.viewer import Viewer
from apps.scoring.released import view


@dataclass(frozen=True, slots=True)
class Wish:
    """A topic somebody may follow, and what they said when they asked."""

    topic: Topic
    audience: Audience
    id: str | None = None
    since: int | None = None
    batch: bool = False

    @property
    def hearing(self) -> Hearing:
        return Hearing(self.audience, self.batch)

    @property
    def seat(self) -> Seat:
        """Who may follow the other states sees them at once."""
        return Seat(self.topic, self.audience.delay_ms if self.topic.kind is Kind.EXPECTED else 0)

    @property
    def is_empty(self) -> bool:
        """A crew is told no expected ranks: they would tell of others inside."""
        return self.topic.kind is Kind.EXPECTED and bool(self.audience.own)


@dataclass(frozen=True, slots=True)
class Rooms:
    boards: Hub
    positions: Positions
    states: States

    async def enter(self, viewer: Viewer, wish: Wish) -> None:
        """Answer, then a snapshot and what follows it."""
        topic = wish.topic
        if topic.kind is Kind.LEADERBOARD:
            catch_up = self.boards.join(viewer, view(topic.name, wish.audience))
            viewer.follow(topic.name, _subscribed(wish), catch_up, wish.since)
            return
        viewer.watch(topic.name)
        viewer.release(topic.name, _subscribed(wish, await self._snapshot(viewer, wish)))

    def leave(self, viewer: Viewer, wish: Wish) -> None:
        topic = wish.topic
        viewer.unfollow(topic.name)
        if topic.kind is Kind.LEADERBOARD:
            self.boards.leave(viewer, view(topic.name, wish.audience))
        elif topic.kind is Kind.POSITIONS:
            self.positions.leave(viewer, topic.subject, wish.hearing)
        else:
            self.states.leave(viewer, wish.seat)

    async def _snapshot(self, viewer: Viewer, wish: Wish) -> list[dict[str, Any]]:
        if wish.topic.kind is Kind.POSITIONS:
            return await self.positions.join(viewer, wish.topic.subject, wish.hearing)
        if wish.is_empty:
            return []
        self.boards.start()  # whose news tell when to read anew
        return await self.states.join(viewer, wish.seat)


def _subscribed(wish: Wish, snapshot: list[dict[str, Any]] | None = None) -> protocol.Frame:
    return protocol.frame("subscribed", topic=wish.topic.name, id=wish.id, snapshot=snapshot)
