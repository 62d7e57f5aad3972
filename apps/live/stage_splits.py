"""The splits of a stage: where times are taken, and when everybody came there."""

from apps.course.models import SegmentType, Waypoint
from apps.live import page_queries
from apps.live.splits import Control, Point, Span, points, splits
from apps.live.stage_times import StageTime


def points_of(stage: str) -> list[Point]:
    """Where times are taken: the controls of the stage's special stages, in the order of the course."""
    found = Waypoint.objects.filter(segment__stage_id=stage, segment__type=SegmentType.SPECIAL_STAGE)
    ordered = found.select_related("segment").order_by("segment__sort_order", "sort_order")
    return points(
        Control(str(one.id), str(one), one.type, str(one.segment_id), one.segment.neutralised_seconds * 1000)
        for one in ordered
    )


def splits_of(one: StageTime, of: list[Point], horizon: int) -> dict[str, list[int | None]]:
    """Entry → ms at each point, None where not reached at `horizon` (epoch ms)."""
    window = int(one.starts_at.timestamp() * 1000), int(one.ends_at.timestamp() * 1000)
    arrivals: dict[str, dict[str, int]] = {}
    ids = [point.id for point in of]
    for entry, control, at in page_queries.arrivals(str(one.stage.event_id), ids, window, horizon):
        arrivals.setdefault(entry, {})[control] = at
    spans: dict[str, dict[str, Span]] = {}
    for row in page_queries.segment_times(str(one.stage.id)):
        spans.setdefault(row.entry, {})[row.segment] = Span(row.start, row.finish, row.net_ms)
    return {entry: splits(of, driven, arrivals.get(entry, {}), horizon) for entry, driven in spans.items()}
