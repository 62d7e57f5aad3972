"""What opens under a line of a board: splits at every control, penalties, and how old the data is.

As late as the audience must see it, and without others inside a running stage for crews (`apps.events.audience`).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from django.core.cache import cache
from django.urls import reverse

from apps.course.models import SegmentType, Stage, Waypoint
from apps.events.audience import Audience
from apps.live import page_queries
from apps.live.expected import Before, Inside, rivals
from apps.live.pages import Visit
from apps.live.splits import Control, Point, Span, points, splits
from apps.live.stage_times import stage_times
from apps.penalties.models import PenaltyStatus
from apps.scoring.board import stage_topic
from apps.scoring.queries import BoardLine
from apps.scoring.released import released_board, running_entries, view

LIFE_S = 3  # a crowd that asks at once is served from one read

Details = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """Details of one board, for one audience, up to `horizon` (epoch ms)."""

    event: str
    stage: str | None
    audience: Audience
    horizon: int


def details(seen: Visit, stage: Stage | None) -> Details:
    """`controls` of the stage in order; per entry `splits` (ms at each, or null), `penalties` and `seen` (epoch ms).

    Of the event `expected`: of the stage that runs `controls` and what ranks its `entries` (`live.expected`), or null.
    """
    audience = seen.audience
    key = f"live-details:{seen.event.id}:{stage and stage.id}:{audience.delay_ms}:{sorted(audience.own)}"
    asked = Asked(str(seen.event.id), str(stage.id) if stage else None, audience, _now() - audience.delay_ms)
    return cast(Details, cache.get_or_set(key, lambda: _read(seen, asked), LIFE_S))


def _now() -> int:
    return time.time_ns() // 1_000_000


def _read(seen: Visit, asked: Asked) -> Details:
    controls = _points(asked.stage) if asked.stage else []
    entries: dict[str, Details] = {}
    for entry, instant in page_queries.last_seen(asked.event, asked.horizon).items():
        entries.setdefault(entry, {})["seen"] = instant
    for entry, times in (_splits(seen, asked, controls) if controls else {}).items():
        entries.setdefault(entry, {})["splits"] = times
    for entry, *values in page_queries.penalties(asked.event, asked.stage, asked.horizon):
        entries.setdefault(entry, {}).setdefault("penalties", []).append(_penalty(*values))
    found = {"now": asked.horizon, "controls": _names(controls), "entries": _shown(asked, entries)}
    return found if asked.stage else found | {"expected": _expected(seen, asked)}


def _names(controls: list[Point]) -> list[dict[str, str]]:
    return [{"name": point.name} for point in controls]


def _expected(seen: Visit, asked: Asked) -> Details | None:
    """What ranks those inside the running stage overall; None with nobody inside, or where its time does not count
    once."""
    begun = [one.stage for one in stage_times(seen.event, asked.audience) if one.open]
    if not begun or begun[-1].overall_factor != 1:
        return None
    stage, earlier = begun[-1], sum(one.overall_factor > 0 for one in begun[:-1])
    inside = replace(asked, stage=str(stage.id))
    controls = _points(str(stage.id))
    statuses = {line["entryId"]: line["status"] for line in _lines(inside)}
    rows = page_queries.before(asked.event, int(stage.starts_at.timestamp() * 1000), asked.horizon)
    before = {entry: Before(ms, earlier - driven) for entry, driven, ms in rows}
    found = rivals(before, Inside(_shown(asked, _splits(seen, inside, controls)), statuses))
    return {"stage": stage.name, "controls": _names(controls), "entries": found} if found else None


def _lines(asked: Asked) -> list[BoardLine]:
    return released_board(view(stage_topic(asked.event, asked.stage or ""), asked.audience))[1]


def _shown(asked: Asked, entries: Mapping[str, T]) -> dict[str, T]:
    running = running_entries(asked.event) if asked.audience.own else frozenset()
    return {entry: values for entry, values in entries.items() if asked.audience.may_see(entry, running)}


def _points(stage: str) -> list[Point]:
    """Where times are taken: the controls of the stage's special stages, in the order of the course."""
    found = Waypoint.objects.filter(segment__stage_id=stage, segment__type=SegmentType.SPECIAL_STAGE)
    ordered = found.select_related("segment").order_by("segment__sort_order", "sort_order")
    return points(
        Control(str(one.id), str(one), one.type, str(one.segment_id), one.segment.neutralised_seconds * 1000)
        for one in ordered
    )


def _splits(seen: Visit, asked: Asked, of: list[Point]) -> dict[str, list[int | None]]:
    arrivals: dict[str, dict[str, int]] = {}
    ids = [point.id for point in of]
    for entry, control, at in page_queries.arrivals(asked.event, ids, _window(seen, asked), asked.horizon):
        arrivals.setdefault(entry, {})[control] = at
    spans: dict[str, dict[str, Span]] = {}
    for row in page_queries.segment_times(asked.stage or ""):
        spans.setdefault(row.entry, {})[row.segment] = Span(row.start, row.finish, row.net_ms)
    return {entry: splits(of, driven, arrivals.get(entry, {}), asked.horizon) for entry, driven in spans.items()}


def _window(seen: Visit, asked: Asked) -> tuple[int, int]:
    times = stage_times(seen.event, asked.audience)
    of = next(one for one in times if str(one.stage.id) == asked.stage)
    return int(of.starts_at.timestamp() * 1000), int(of.ends_at.timestamp() * 1000)


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
