"""What opens under a line of a board: splits at every control, penalties, and how old the data is.

As late as the audience must see it, and without others inside a running stage for crews (`apps.events.audience`).
"""

import time
from dataclasses import dataclass
from typing import Any, cast

from django.core.cache import cache
from django.urls import reverse

from apps.course.models import SegmentType, Stage, Waypoint
from apps.events.audience import Audience
from apps.live import page_queries
from apps.live.pages import Visit
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
    controls = _controls(asked.stage) if asked.stage else []
    entries: dict[str, Details] = {}
    for entry, instant in page_queries.last_seen(asked.event, asked.horizon).items():
        entries.setdefault(entry, {})["seen"] = instant
    for entry, splits in (_splits(seen, asked, controls) if controls else {}).items():
        entries.setdefault(entry, {})["splits"] = splits
    for entry, *values in page_queries.penalties(asked.event, asked.stage, asked.horizon):
        entries.setdefault(entry, {}).setdefault("penalties", []).append(_penalty(*values))
    names = [{"name": str(one), "type": one.type} for one in controls]
    return {"now": asked.horizon, "controls": names, "entries": _shown(asked, entries)}


def _shown(asked: Asked, entries: dict[str, Details]) -> dict[str, Details]:
    running = running_entries(asked.event) if asked.audience.own else frozenset()
    return {entry: values for entry, values in entries.items() if asked.audience.may_see(entry, running)}


def _controls(stage: str) -> list[Waypoint]:
    """The controls a time is taken at: those of special stages, but for the start."""
    found = Waypoint.objects.filter(segment__stage_id=stage, segment__type=SegmentType.SPECIAL_STAGE)
    ordered = found.exclude(type="DSS").select_related("segment").order_by("segment__sort_order", "sort_order")
    return list(ordered)


def _splits(seen: Visit, asked: Asked, controls: list[Waypoint]) -> dict[str, list[int | None]]:
    window = _window(seen, asked)
    reached: dict[tuple[str, str], int] = {}
    ids = [str(control.id) for control in controls]
    for entry, control, instant in page_queries.arrivals(asked.event, ids, window, asked.horizon):
        reached[entry, control] = instant
    spans: dict[str, dict[str, tuple[int | None, int | None]]] = {}
    for entry, segment, start, finish, _ in page_queries.segment_times(asked.stage or ""):
        spans.setdefault(entry, {})[segment] = (start, finish)
    return {entry: _row(entry, of, controls, (reached, asked.horizon)) for entry, of in spans.items()}


def _window(seen: Visit, asked: Asked) -> tuple[int, int]:
    times = stage_times(seen.event, asked.audience)
    of = next(one for one in times if str(one.stage.id) == asked.stage)
    return int(of.starts_at.timestamp() * 1000), int(of.ends_at.timestamp() * 1000)


Reached = tuple[dict[tuple[str, str], int], int]
Spans = dict[str, tuple[int | None, int | None]]


def _row(entry: str, spans: Spans, controls: list[Waypoint], reached: Reached) -> list[int | None]:
    """Time on the clock at each control: of the special stages before, and since the start of this one."""
    instants, horizon = reached
    row: list[int | None] = []
    for control in controls:
        segment = str(control.segment_id)
        start, finish = spans.get(segment, (None, None))
        at = finish if control.type == "ASS" and finish else instants.get((entry, str(control.id)))
        done = start is not None and at is not None and start <= at <= horizon
        row.append(_before(spans, start) + at - start if done and at and start else None)
    return row


def _before(spans: Spans, start: int | None) -> int:
    earlier = [(a, b) for a, b in spans.values() if a and b and start and b <= start]
    return sum(b - a for a, b in earlier)


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
