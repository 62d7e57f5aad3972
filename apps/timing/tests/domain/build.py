"""Small builders for tests of the pure domains: instants are given in seconds after T0."""

from collections.abc import Sequence

import numpy as np

from apps.course.domain.crossings import Crossing, Direction
from apps.course.domain.fixes import Fixes
from apps.timing.domain.plan import (
    ControlPoint,
    Pick,
    SegmentPlan,
    SegmentType,
    StagePlan,
    WaypointPlan,
)

T0 = 1_780_725_600_000  # 2026-06-06T06:00:00Z


def at(seconds: float) -> int:
    """The instant, epoch ms."""
    return T0 + round(seconds * 1000)


def cross(control: str, direction: Direction, seconds: float, device: int = 0) -> Crossing:
    """A crossing in the middle of a chord of one second."""
    ts = at(seconds)
    return Crossing(
        control=control,
        device=device,
        direction=direction,
        ts=ts,
        uncertainty_ms=250,
        before_ts=ts - 500,
        after_ts=ts + 500,
        fraction=0.5,
        occurrence=0,
        min_distance_m=None,
    )


def cut(control: str, seconds: float, device: int = 0) -> Crossing:
    """A gate cut."""
    return cross(control, Direction.CUT, seconds, device)


def stay(control: str, from_s: float, to_s: float, device: int = 0) -> list[Crossing]:
    """A visit of a circle or polygon."""
    return [cross(control, Direction.ENTER, from_s, device), cross(control, Direction.LEAVE, to_s, device)]


def gate(control: str, pick: Pick = Pick.FIRST) -> ControlPoint:
    """A gate as a control point."""
    return ControlPoint(control, Direction.CUT, pick)


def waypoint(order: int, kind: str = "WPM") -> WaypointPlan:
    """Waypoint `w<order>`, its circle named alike."""
    return WaypointPlan(f"w{order}", kind, order, f"w{order}")


def special(**changes: object) -> SegmentPlan:
    """A special stage from gate `start` to gate `finish`."""
    fields: dict[str, object] = {
        "id": "ss",
        "type": SegmentType.SPECIAL_STAGE,
        "order": 1,
        "start": gate("start"),
        "finish": gate("finish"),
    }
    return SegmentPlan(**(fields | changes))  # type: ignore[arg-type]


def stage(*segments: SegmentPlan, hours: float = 12) -> StagePlan:
    """A stage open from T0."""
    return StagePlan("stage", "Stage 1", 1, T0, at(hours * 3600), segments)


def steady(speeds: Sequence[float], device: int = 0, step_s: float = 1.0) -> Fixes:
    """Fixes at a fixed rate from T0, driving north at the given km/h."""
    count = len(speeds)
    metres = np.concatenate(([0.0], np.cumsum(np.asarray(speeds[:-1]) / 3.6 * step_s)))
    return Fixes.build(
        np.full(count, device),
        np.array([at(i * step_s) for i in range(count)]),
        41.0 + metres / 111_195.0,
        np.full(count, 20.0),
        np.asarray(speeds, dtype=float),
    )
