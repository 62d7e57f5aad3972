"""What opens under a line of a board: splits at every control, penalties, and how old the data is.

As late as the audience must see it, and without others inside a running stage for crews (`apps.events.audience`).
"""

import time
from dataclasses import dataclass
from typing import Any, cast

from django.core.cache import cache
from django.urls import reverse

from apps.course.models import Stage
from apps.events.audience import Audience
from apps.live import page_queries
from apps.live.pages import Visit
from apps.live.splits import Point
from apps.live.stage_splits import points_of, splits_of
from apps.live.stage_times import stage_times
from apps.penalties.models import PenaltyStatus
from apps.scoring.released import running_entries

LIFE_S = 3  # a crowd that asks at once is served from one read

Details = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """Details of one board, for one audience, up to `horizon` (epoch ms)."""

    event: str
    stage: str | None
    audience: Audience
    horizon: int


def details(seen: Visit, stage: Stage | None) -> Details:
    """`controls` of the stage in order; per entry `splits` (ms at each, or null), `penalties` and `seen` (epoch ms)."""
    audience = seen.audience
    key = f"live-details:{seen.event.id}:{stage and stage.id}:{audience.delay_ms}:{sorted(audience.own)}"
    asked = Asked(str(seen.event.id), str(stage.id) if stage else None, audience, _now() - audience.delay_ms)
    return cast(Details, cache.get_or_set(key, lambda: _read(seen, asked), LIFE_S))


def _now() -> int:
    return time.time_ns() // 1_000_000


def _read(seen: Visit, asked: Asked) -> Details:
    controls = points_of(asked.stage) if asked.stage else []
    entries: dict[str, Details] = {}
    for entry, instant in page_queries.last_seen(asked.event, asked.horizon).items():
        entries.setdefault(entry, {})["seen"] = instant
    for entry, times in (_splits(seen, asked, controls) if controls else {}).items():
        entries.setdefault(entry, {})["splits"] = times
    for entry, *values in page_queries.penalties(asked.event, asked.stage, asked.horizon):
        entries.setdefault(entry, {}).setdefault("penalties", []).append(_penalty(*values))
    names = [{"name": point.name} for point in controls]
    return {"now": asked.horizon, "controls": names, "entries": _shown(asked, entries)}


def _splits(seen: Visit, asked: Asked, of: list[Point]) -> dict[str, list[int | None]]:
    times = stage_times(seen.event, asked.audience)
    return splits_of(next(one for one in times if str(one.stage.id) == asked.stage), of, asked.horizon)


def _shown(asked: Asked, entries: dict[str, Details]) -> dict[str, Details]:
    running = running_entries(asked.event) if asked.audience.own else frozenset()
    return {entry: values for entry, values in entries.items() if asked.audience.may_see(entry, running)}


def _penalty(id: str, stage: str, type: str, seconds: float, status: str, article: str) -> Details:
    return {
        "url": reverse("scoring:penalty", args=[id]),
        "stage": stage,
        "type": type,
        "ms": round(seconds * 1000),
        "status": status,
        "pending": status == PenaltyStatus.PROPOSED,
        "article": article,
    }
