"""An event's course and rules as the pure domain needs them, read from the tables once per version."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast

from apps.common.cache import Latest
from apps.course.domain.controls import Control
from apps.course.domain.crossings import Course, Direction
from apps.course.domain.geometry import geometry_control
from apps.course.models import Geofence, Segment, SpeedLimitZone, Stage, StageRole, Waypoint
from apps.events.models import Event, RaceClass
from apps.penalties.domain.formulas import Formula
from apps.penalties.domain.memory import remembers
from apps.penalties.models import PenaltyFormula
from apps.scoring import queries
from apps.scoring.domain.classification import TieRule
from apps.scoring.inputs import milliseconds
from apps.timing.domain.plan import (
    ControlPoint,
    Pick,
    SegmentPlan,
    SegmentType,
    SpeedZonePlan,
    StagePlan,
    WaypointPlan,
)

END_OF_TIME = 253_402_300_799_999  # the last ms of year 9999, where an open window ends


@dataclass(frozen=True, eq=False)
class EventPlan:
    """All that scoring an event needs beyond the evidence."""

    event: str
    controls: tuple[Control, ...]
    stages: tuple[StagePlan, ...]
    formulas: tuple[Formula, ...]
    names: Mapping[str, str]  # control id → what people call it
    gap_limit_ms: int
    tie_rule: TieRule
    complete_first: bool
    team_size: int = 2

    course: Course = field(init=False)  # the controls as detection wants them, prepared once

    def __post_init__(self) -> None:
        """Raises ValueError for a shape that detection cannot use."""
        object.__setattr__(self, "course", Course(self.controls))

    @property
    def remembers(self) -> bool:
        """Whether any rule depends on what the entry did in earlier stages."""
        return any(map(remembers, self.formulas))

    def stages_before(self, stage: StagePlan) -> tuple[StagePlan, ...]:
        return self.stages[: self.stages.index(stage)]

    def stages_after(self, stage: StagePlan) -> tuple[StagePlan, ...]:
        return self.stages[self.stages.index(stage) + 1 :]

    @property
    def lowest_limit_kmh(self) -> float:
        """The lowest speed limit that holds anywhere for anyone, km/h; infinite where there is none."""
        segments = [segment for stage in self.stages for segment in stage.segments]
        zones = [zone for segment in segments for zone in segment.zones]
        limits = [limit for one in segments for limit in (one.limit_kmh, *one.class_limits.values())]
        limits += [limit for one in zones for limit in (one.limit_kmh, *one.class_limits.values())]
        return min((limit for limit in limits if limit is not None), default=math.inf)

    def stages_between(self, from_ts: int, to_ts: int) -> list[StagePlan]:
        """The stages whose windows touch these instants (ms, inclusive)."""
        return [s for s in self.stages if s.from_ts <= to_ts and (s.to_ts is None or s.to_ts >= from_ts)]


_plans: Latest[EventPlan] = Latest()


def event_plan(event_id: str) -> EventPlan:
    """The plan of an event; read anew when any row of its course or rules has changed."""
    return _plans.get(event_id, "/".join(queries.fingerprint(event_id)), lambda: load_plan(event_id))


def load_plan(event_id: str) -> EventPlan:
    event = Event.objects.get(id=event_id)
    stages = list(Stage.objects.filter(event=event).order_by("starts_at"))
    segments = list(
        Segment.objects.filter(stage__event=event)
        .select_related("entry_geofence", "exit_geofence")
        .prefetch_related("waypoints", "speed_limit_zones")
    )
    fences = list(Geofence.objects.filter(event=event))
    codes = {c.code: str(c.id) for c in RaceClass.objects.filter(event=event)}
    return EventPlan(
        event=str(event.id),
        controls=tuple(_controls(fences, segments)),
        stages=tuple(_stages(event, stages, _Parts(segments, codes, event.source_priority))),
        formulas=tuple(
            row.as_formula() for row in PenaltyFormula.objects.filter(event=event, enabled=True, penalty__isnull=False)
        ),
        names=dict(_names(fences, segments)),
        gap_limit_ms=event.gap_limit_seconds * 1000,
        tie_rule=TieRule(event.tie_rule),
        complete_first=event.complete_first,
        team_size=event.team_size,
    )


def _controls(fences: Iterable[Geofence], segments: Iterable[Segment]) -> Iterator[Control]:
    for fence in fences:
        yield geometry_control(fence.id, fence.geometry, fence.bearing)
    for segment in segments:
        for point in segment.waypoints.all():
            yield Control.circle(str(point.id), point.latitude, point.longitude, point.tolerance_meters)
        for zone in segment.speed_limit_zones.all():
            if zone.geometry is not None:
                yield geometry_control(zone.id, zone.geometry)


def _names(fences: Iterable[Geofence], segments: Iterable[Segment]) -> Iterator[tuple[str, str]]:
    for row in fences:
        yield str(row.id), str(row)
    for segment in segments:
        for child in (*segment.waypoints.all(), *segment.speed_limit_zones.all()):
            yield str(child.id), str(child)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the stages of an event are made of."""

    segments: Sequence[Segment]
    codes: Mapping[str, str]
    sources: Sequence[str]


def _stages(event: Event, stages: Sequence[Stage], parts: _Parts) -> Iterator[StagePlan]:
    """A stage's window ends with the last ms before the next stage's: an instant is of one stage only."""
    begins = [int(stage.starts_at.timestamp() * 1000) for stage in stages]
    for stage, from_ts, to_ts in zip(stages, begins, [*begins[1:], None], strict=True):
        yield StagePlan(
            id=str(stage.id),
            name=stage.name,
            order=stage.sort_order,
            from_ts=from_ts,
            to_ts=None if to_ts is None else to_ts - 1,
            segments=tuple(_segment(s, parts) for s in parts.segments if s.stage_id == stage.id),
            leg=str(stage.id) if stage.leg is None else str(stage.leg),
            discrepancy_ms=event.discrepancy_ms,
            allow_back=event.allow_back,
            gap_limit_ms=event.gap_limit_seconds * 1000,
            price_unproved=event.price_unproved,
            super_special=stage.role == StageRole.SUPER_SPECIAL,
            overall_factor=stage.overall_factor,
        )


def _segment(segment: Segment, parts: _Parts) -> SegmentPlan:
    waypoints = list(segment.waypoints.all())
    neutral = segment.type == SegmentType.NEUTRALISATION
    begin = _Choice("DN" if neutral else "DSS", Pick(segment.entry_pick), parts.sources)
    # A crew may wait inside FN: what counts is when it leaves it (rulebook §8.1).
    end = _Choice("FN" if neutral else "ASS", Pick(segment.exit_pick), parts.sources, leaving=neutral)
    return SegmentPlan(
        id=str(segment.id),
        type=SegmentType(segment.type),
        order=segment.sort_order,
        start=_control_point(segment.entry_geofence, waypoints, begin),
        finish=_control_point(segment.exit_geofence, waypoints, end),
        waypoints=tuple(_waypoint(w) for w in waypoints),
        zones=tuple(_zone(zone, parts.codes) for zone in segment.speed_limit_zones.all()),
        target_ms=_ms(segment.target_duration_seconds),
        maximum_ms=_ms(segment.maximum_duration_seconds),
        start_from=cast(Literal["crossing", "assigned"], segment.start_from),
        rounding_ms=segment.rounding_ms,
        neutral_ms=segment.neutralised_seconds * 1000,
        limit_kmh=segment.speed_limit_kmh,
        class_limits=_by_class(segment.class_limits, parts.codes),
        bogey_ms=_ms(segment.bogey_duration_seconds) or 0,
        end_control=segment.end_control,
        scheduled_ts=_instant(segment.scheduled_at),
        scoring=segment.scoring,
        class_scoring={parts.codes[c]: s for c, s in segment.class_scoring.items() if c in parts.codes},
    )


def _waypoint(row: Waypoint) -> WaypointPlan:
    circle = (row.latitude, row.longitude, row.tolerance_meters)
    return WaypointPlan(str(row.id), row.type, row.sort_order, str(row.id), _instant(row.closes_at), circle)


@dataclass(frozen=True, slots=True)
class _Choice:
    """What one end of a segment takes where its controls do not say otherwise."""

    waypoint_type: str
    pick: Pick
    sources: Sequence[str]
    leaving: bool = False


def _control_point(fence: Geofence | None, waypoints: Iterable[Waypoint], choice: _Choice) -> ControlPoint | None:
    """The geofence if the segment names one, else its waypoint of this type.

    Start and finish are both taken at the entry of an area: one reference at both ends (rulebook §5.2).
    """
    area = Direction.LEAVE if choice.leaving else Direction.ENTER
    if fence is not None:
        gate = fence.geometry["type"] == "LineString"
        sources = tuple(fence.source_priority or choice.sources)
        return ControlPoint(
            str(fence.id), Direction.CUT if gate else area, choice.pick, sources, fence.manual_verification
        )
    point = next((w for w in waypoints if w.type == choice.waypoint_type), None)
    if point is None:
        return None
    return ControlPoint(str(point.id), area, choice.pick, tuple(point.source_priority or choice.sources))


def _zone(zone: SpeedLimitZone, codes: Mapping[str, str]) -> SpeedZonePlan:
    return SpeedZonePlan(
        id=str(zone.id),
        limit_kmh=zone.speed_limit_kmh,
        polygon=str(zone.id) if zone.geometry is not None else None,
        dz=str(zone.dz_waypoint_id) if zone.dz_waypoint_id else None,
        fz=str(zone.fz_waypoint_id) if zone.fz_waypoint_id else None,
        tolerance_kmh=zone.tolerance_kmh,
        class_limits=_by_class(zone.class_limits, codes),
        nearest_to=_without_margins(zone),
    )


def _without_margins(zone: SpeedLimitZone) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Where DZ and FZ are; None where their circles are the margins."""
    dz, fz = (None, None) if zone.margins else (zone.dz_waypoint, zone.fz_waypoint)
    if dz is None or fz is None:
        return None
    return (dz.latitude, dz.longitude), (fz.latitude, fz.longitude)


def _by_class(limits: Mapping[str, float], codes: Mapping[str, str]) -> dict[str, float]:
    """Limits by class id, from limits by class code."""
    return {codes[code]: float(limit) for code, limit in limits.items() if code in codes}


def _instant(at: datetime | None) -> int | None:
    return None if at is None else milliseconds(at)


def _ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000
