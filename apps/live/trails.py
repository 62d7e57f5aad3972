"""The way of the last minutes behind everybody on the live map, for who has just opened it."""

import time
from collections.abc import Iterable
from itertools import groupby
from typing import Any, cast

from django.core.cache import cache

from apps.events.audience import Audience
from apps.live import page_queries
from apps.live.page_queries import Row
from apps.live.pages import Visit
from apps.live.replay import pack
from apps.scoring.released import running_entries

TRAIL_MS = 300_000
STEP_MS = 10_000
LIFE_S = 10  # a crowd that comes at once is served from one read

Trails = dict[str, Any]


def trails(seen: Visit) -> Trails:
    """`step` in ms and of each entry a track as a replay packs it, as late as the audience sees positions.

    Not of entries it sees sooner than the others: their way would end where it was a while ago.
    """
    event, audience = str(seen.event.id), seen.audience
    key = f"live-trails:{event}:{audience.official}:{audience.delay_ms}:{sorted(audience.own)}"
    return cast(Trails, cache.get_or_set(key, lambda: _read(event, audience), LIFE_S))


def _read(event: str, audience: Audience) -> Trails:
    late = 0 if audience.official else audience.delay_ms
    horizon = time.time_ns() // 1_000_000 - late
    rows = page_queries.trails(event, (horizon - TRAIL_MS, horizon), STEP_MS)
    running = running_entries(event) if audience.own else frozenset()
    shown = (row for row in rows if audience.may_see(row[0], running) and audience.delay_of(row[0]) == late)
    return {"step": STEP_MS, "entries": _packed(shown)}


def _packed(rows: Iterable[Row]) -> dict[str, Any]:
    return {entry: pack([row[1:] for row in of]) for entry, of in groupby(rows, key=lambda row: row[0])}
