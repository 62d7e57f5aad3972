"""Where the topics of states have their lines from: PostgreSQL, on a thread of its own."""

import time
from collections.abc import Mapping, Sequence

from apps.events.models import Event
from apps.live import expectations, race_control, state_queries
from apps.live.source import from_database
from apps.live.states import Lines, Seat


class DatabaseStates:
    """The contract of `StateSource` on this database."""

    async def entry_times(self, entries: Sequence[str]) -> Mapping[str, Lines]:
        return await from_database(state_queries.entry_times, entries)

    async def expected(self, seat: Seat) -> Lines:
        return await from_database(_expected, seat)

    async def race_control(self, event: str) -> Lines:
        readings = await from_database(state_queries.readings, event)
        crews = {line["entryId"]: line for line in race_control.lines(readings, time.time_ns() // 1_000_000)}
        frozen = await from_database(state_queries.frozen_stages, event)
        return crews | {line["stageId"]: line for line in frozen}


def _expected(seat: Seat) -> Lines:
    event = Event.objects.filter(id=seat.topic.subject).first()
    lines = expectations.read(event, seat.topic.stage, seat.delay_ms) if event else []
    return {line["entryId"]: line for line in lines}
