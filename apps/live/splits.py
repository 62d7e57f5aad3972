"""Split times: what a crew's clock said at each control of the special stages of a stage. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A segment as an entry drove it: epoch ms, and its time by the rules in ms; None as far as it is not there."""

    start: int | None = None
    finish: int | None = None
    net_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A control a time is taken at; `neutralised_ms` have been given back to the crew before it."""

    id: str
    name: str
    segment: str
    is_finish: bool = False
    neutralised_ms: int = 0


@dataclass(frozen=True, slots=True)
class Control:
    """A waypoint of a special stage in the order of the course; `allotment_ms` is its segment's."""

    id: str
    name: str
    type: str
    segment: str
    allotment_ms: int = 0


def points(controls: Iterable[Control]) -> list[Point]:
    """Where times are taken: not at the start, and not inside a neutralisation, where the clock stands."""
    found: list[Point] = []
    segment, given_back, inside = "", 0, False
    for one in controls:
        if one.segment != segment:
            segment, given_back, inside = one.segment, 0, False
        if one.type == "FN":
            given_back, inside = one.allotment_ms, False
        if one.type != "DSS" and not inside:
            found.append(Point(one.id, one.name, segment, one.type == "ASS", given_back))
        inside = inside or one.type == "DN"
    return found


def splits(
    of: Sequence[Point], spans: Mapping[str, Span], arrivals: Mapping[str, int], horizon: int
) -> list[int | None]:
    """Time at each point in ms: of the segments before, and since the start of its own; None where not (yet) reached.

    `spans` by segment, `arrivals` (epoch ms) by control; nothing after `horizon` counts. At the finish it is the
    time by the rules.
    """
    return [_split(point, spans, arrivals, horizon) for point in of]


def _split(point: Point, spans: Mapping[str, Span], arrivals: Mapping[str, int], horizon: int) -> int | None:
    span = spans.get(point.segment, Span())
    at = span.finish if point.is_finish and span.finish else arrivals.get(point.id)
    if span.start is None or at is None or not span.start <= at <= horizon:
        return None
    before = sum(_time(one) for one in spans.values() if one.finish and one.finish <= span.start)
    if point.is_finish and span.net_ms is not None:
        return before + span.net_ms
    return before + max(0, at - span.start - point.neutralised_ms)


def _time(span: Span) -> int:
    if span.net_ms is not None:
        return span.net_ms
    return span.finish - span.start if span.finish and span.start else 0
