"""Stages driven again: when each was driven, and the tracks of its crews, thinned and packed for one download."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from apps.live import page_queries
from apps.live.pages import Visit
from apps.live.stage_times import StageTime, stage_times

MOST_POINTS = 2000  # of a crew: at a step of 5 s nearly three hours
LEAST_STEP_MS = 2000
MARGIN_MS = 60_000
E5 = 100_000  # a degree in steps of about a metre


@dataclass(frozen=True, slots=True)
class Span:
    """When an entry drove, epoch ms; None where it did not start or finish."""

    start: int | None
    finish: int | None


def replayable(seen: Visit) -> list[StageTime]:
    """The stages this visitor may replay: officials as soon as they are open, everybody when they are over."""
    times = stage_times(seen.event, seen.audience)
    return [one for one in times if one.over or (one.open and seen.audience.official)]


def replay(seen: Visit, one: StageTime) -> dict[str, Any]:
    """The tracks of one stage: `step` in ms, and of each entry its `start` and `finish` (epoch ms) and its track.

    A track is `t0` (epoch ms) and three lists of differences, the first from zero: `t` in ms/100, `lat` and `lon` in
    1e-5 degrees.
    """
    spans = _spans(str(one.stage.id))
    window = _window(one, spans, seen.audience.delay_ms)
    step = max(LEAST_STEP_MS, (window[1] - window[0]) // MOST_POINTS)
    rows = page_queries.tracks(str(seen.event.id), window, step)
    packed = {entry: pack([row[1:] for row in of]) for entry, of in groupby(rows, key=lambda row: row[0])}
    entries = {
        entry: track | {"start": span.start, "finish": span.finish}
        for entry, track in packed.items()
        if (span := spans.get(entry, Span(None, None)))
    }
    return {"step": step, "stage": str(one.stage.id), "entries": entries}


def parts(seen: Visit, times: Sequence[StageTime]) -> list[dict[str, Any]]:
    """What is played one after the other: each stage with the address of its tracks, and how long it takes.

    `low` and `high` are epoch ms; `longest` the ms from a crew's own start to its finish.
    """
    return [_part(seen, one) for one in times]


def _part(seen: Visit, one: StageTime) -> dict[str, Any]:
    spans = _spans(str(one.stage.id))
    low, high = _window(one, spans, seen.audience.delay_ms)
    driven = [span.finish - span.start for span in spans.values() if span.start and span.finish]
    return {
        "stage": str(one.stage.id),
        "name": one.stage.name,
        "tracks": f"{seen.link('tracks')}?stage={one.stage.sort_order}",
        "low": low,
        "high": high,
        "longest": max(driven, default=high - low),
    }


def _spans(stage: str) -> dict[str, Span]:
    """From the first start to the last finish of the stage's segments."""
    found: dict[str, Span] = {}
    for row in page_queries.segment_times(stage):
        span = found.get(row.entry, Span(None, None))
        begins = [ts for ts in (span.start, row.passed or row.start) if ts]
        ends = [ts for ts in (span.finish, row.finish) if ts]
        found[row.entry] = Span(min(begins, default=None), max(ends, default=None))
    return found


def _window(one: StageTime, spans: dict[str, Span], delay_ms: int) -> tuple[int, int]:
    """From the first start to the last finish; of a stage that is not over to the instant the audience is shown."""
    low, high = int(one.starts_at.timestamp() * 1000), int(one.ends_at.timestamp() * 1000)
    starts = [span.start for span in spans.values() if span.start]
    finishes = [span.finish for span in spans.values() if span.finish]
    end = max(finishes) + MARGIN_MS if one.over and finishes else time.time_ns() // 1_000_000 - delay_ms
    low = max(low, min(starts) - MARGIN_MS) if starts else low
    return low, max(low + 1, min(high, end))


def pack(points: list[tuple[int, float, float]]) -> dict[str, Any]:
    """(instant in epoch ms, latitude, longitude) in order → the lists of differences."""
    t0 = points[0][0]
    t = [(ts - t0) // 100 for ts, _, _ in points]
    lat, lon = ([round(point[axis] * E5) for point in points] for axis in (1, 2))
    return {"t0": t0, "t": _differences(t), "lat": _differences(lat), "lon": _differences(lon)}


def _differences(values: list[int]) -> list[int]:
    return [value - before for value, before in zip(values, [0, *values], strict=False)]
