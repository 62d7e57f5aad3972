"""Expected ranks as sockets, pages and REST tell them: one reading for all (`live.expected` says what they are).

As late as the audience sees boards. A crew is told none: they would tell of others inside the running stage.
"""

import time
from typing import Any, cast

from django.core.cache import cache

from apps.events.audience import Audience
from apps.events.models import Event
from apps.live import page_queries
from apps.live.expected import INSIDE, Before, Course, Crew, expected
from apps.live.stage_splits import points_of, splits_of
from apps.live.stage_times import StageTime, stage_times
from apps.scoring.board import stage_topic
from apps.scoring.queries import BoardLine
from apps.scoring.released import View, released_board

LIFE_S = 2  # a crowd that asks at once is served from one read

Line = dict[str, Any]


def expected_ranks(event: Event, stage: str | None, audience: Audience) -> list[Line]:
    """Of each crew inside `stage` its expected rank there, overall without a stage; some seconds old."""
    if audience.own:
        return []
    key = f"live-expected:{event.id}:{stage}:{audience.delay_ms}"
    return cast(list[Line], cache.get_or_set(key, lambda: read(event, stage, audience.delay_ms), LIFE_S))


def read(event: Event, stage: str | None, delay_ms: int) -> list[Line]:
    """The same of now, with this delay. Overall it is of the stage that runs, by what it counts there."""
    begun = [one for one in stage_times(event, Audience(delay_ms=delay_ms)) if one.open]
    if stage is not None:
        return _ranks([one for one in begun if str(one.stage.id) == stage], delay_ms, overall=False)
    return _ranks(begun, delay_ms, overall=True)


def _ranks(begun: list[StageTime], delay_ms: int, *, overall: bool) -> list[Line]:
    if not begun or (overall and not begun[-1].stage.overall_factor):
        return []
    one = begun[-1]
    lines = released_board(View(stage_topic(str(one.stage.event_id), str(one.stage.id)), delay_ms))[1]
    if all(line["status"] != INSIDE for line in lines):
        return []
    points, horizon = points_of(str(one.stage.id)), time.time_ns() // 1_000_000 - delay_ms
    driven = splits_of(one, points, horizon)
    brought = _before(begun, horizon) if overall else {}
    crews = [
        _crew(line, driven.get(line["entryId"], []), brought.get(line["entryId"], Before()))
        for line in lines
        if not overall or line["entryId"] in brought
    ]
    factor = one.stage.overall_factor if overall else 1
    return expected(crews, Course(str(one.stage.id), one.stage.name, [point.name for point in points], factor))


def _crew(line: BoardLine, splits: list[int | None], before: Before) -> Crew:
    return Crew(line["entryId"], line["raceNumber"], line["classCode"], line["status"], splits, before)


def _before(begun: list[StageTime], horizon: int) -> dict[str, Before]:
    """What each entry brought into the last of these stages."""
    *earlier, last = (one.stage for one in begun)
    counted = sum(stage.overall_factor > 0 for stage in earlier)
    rows = page_queries.before(str(last.event_id), int(last.starts_at.timestamp() * 1000), horizon)
    return {entry: Before(ms, counted - driven) for entry, driven, ms in rows}
