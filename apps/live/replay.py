"""A stage driven again: the tracks of its crews, thinned and packed for one download."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from apps.live import page_queries
from apps.live.pages import Visit
from apps.live.stage_times import StageTime, stage_times

MOST_POINTS = 2000  # of a crew: at a step of 5 s nearly three hours
LEAST_STEP_MS = 2000
MARGIN_MS = 60_000
TAIL_MS = 7_200_000  # after the last start or finish, where somebody did not finish
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
    """`step` in ms, and of each entry its `start` and `finish` (epoch ms) and its track.

    A track is `t0` (epoch ms) and three lists of differences, the first from zero: `t` in ms/100, `lat` and `lon` in
    1e-5 degrees.
    """
    spans = _spans(str(one.stage.id))
    window = _window(one, spans)
    step = max(LEAST_STEP_MS, (window[1] - window[0]) // MOST_POINTS)
    rows = page_queries.tracks(str(seen.event.id), window, step)
    packed = {entry: pack([row[1:] for row in of]) for entry, of in groupby(rows, key=lambda row: row[0])}
    entries = {
        entry: track | {"start": span.start, "finish": span.finish}
        for entry, track in packed.items()
        if (span := spans.get(entry, Span(None, None)))
    }
    return {"step": step, "stage": str(one.stage.id), "entries": entries}


def _spans(stage: str) -> dict[str, Span]:
    """From the first start to the last finish of the stage's segments."""
    found: dict[str, Span] = {}
    for row in page_queries.segment_times(stage):
        span = found.get(row.entry, Span(None, None))
        begins = [ts for ts in (span.start, row.passed or row.start) if ts]
        ends = [ts for ts in (span.finish, row.finish) if ts]
        found[row.entry] = Span(min(begins, default=None), max(ends, default=None))
    return found


def _window(one: StageTime, spans: dict[str, Span]) -> tuple[int, int]:
    low, high = int(one.starts_at.timestamp() * 1000), int(one.ends_at.timestamp() * 1000)
    starts = [span.start for span in spans.values() if span.start]
    finishes = [span.finish for span in spans.values() if span.finish]
    if not starts:
        return low, high
    tail = MARGIN_MS if len(finishes) == len(spans) else TAIL_MS
    return max(low, min(starts) - MARGIN_MS), min(high, max(starts + finishes) + tail)


def pack(points: list[tuple[int, float, float]]) -> dict[str, Any]:
    """(instant in epoch ms, latitude, longitude) in order → the lists of differences."""
    t0 = points[0][0]
    t = [(ts - t0) // 100 for ts, _, _ in points]
    lat, lon = ([round(point[axis] * E5) for point in points] for axis in (1, 2))
    return {"t0": t0, "t": _differences(t), "lat": _differences(lat), "lon": _differences(lon)}


def _differences(values: list[int]) -> list[int]:
    return [value - before for value, before in zip(values, [0, *values], strict=False)]
