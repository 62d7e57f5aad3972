"""A stage as data: what the timing, penalty and scoring domains need to know of it, and no more.

Ids are strings (uuids); controls are named by the id of their `Control`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from apps.course.domain.crossings import Direction
from apps.timing.domain.marks import BEST_FIRST

# Types that carry a penalty when missed (rulebook 2.3). DSS, ASS, DZ, FZ, DN, FN and TC only mark places.
COUNTED_WAYPOINTS = frozenset({"WPV", "WPE", "WPM", "WPS", "WPC", "WPN", "WPP", "PC"})


FASTEST, TARGET_DEVIATION = "fastest", "target_deviation"


class SegmentType(StrEnum):
    """What a stretch of a stage is; only a special stage is ranked."""

    LIAISON = "liaison"
    SPECIAL_STAGE = "special-stage"
    NEUTRALISATION = "neutralisation"
    SERVICE = "service"
    REGROUP = "regroup"
    PARC_FERME = "parc-ferme"


class Pick(StrEnum):
    """Which of several crossings of one control is its passage."""

    FIRST = "first"
    LAST = "last"
    LAST_BEFORE_NEXT = "last-before-next"


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """A control, the direction that counts there, which crossing to take, and whose time counts first.

    `verify` makes every crossing there questionable until somebody confirms it.
    """

    control: str
    direction: Direction
    pick: Pick = Pick.FIRST
    sources: tuple[str, ...] = BEST_FIRST
    verify: bool = False


@dataclass(frozen=True, slots=True)
class WaypointPlan:
    """A waypoint; `control` is the circle of its validation radius (rulebook 2.1): `circle` is its centre (lat, lon)
    and that radius in metres, None where nobody asks how far it was.

    Reached after `closes_ts` (epoch ms) it counts as closed (4.3).
    """

    id: str
    type: str
    order: int
    control: str
    closes_ts: int | None = None
    circle: tuple[float, float, float] | None = None

    @property
    def counted(self) -> bool:
        """Whether missing it is an offence."""
        return self.type in COUNTED_WAYPOINTS


@dataclass(frozen=True, slots=True)
class SpeedZonePlan:
    """A speed zone: a polygon, or the circles of its DZ and FZ (rulebook 3.1); limits in km/h.

    With `nearest_to`, the (lat, lon) of DZ and FZ, there are no margins: the limit holds from the nearest point to the
    one to the nearest point to the other.
    """

    id: str
    limit_kmh: float
    polygon: str | None = None
    dz: str | None = None
    fz: str | None = None
    tolerance_kmh: float = 0.0
    class_limits: Mapping[str, float] = field(default_factory=dict)
    nearest_to: tuple[tuple[float, float], tuple[float, float]] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError unless the zone has a polygon or both circles."""
        if self.polygon is None and (self.dz is None or self.fz is None):
            raise ValueError(f"speed zone {self.id}: needs a polygon, or a DZ and an FZ")

    def limit_for(self, race_class: str) -> float:
        """The limit of a class, km/h (rulebook 3.1)."""
        return self.class_limits.get(race_class, self.limit_kmh)

    def controls(self) -> tuple[str, ...]:
        """The controls whose crossings open and close the zone."""
        return tuple(control for control in (self.polygon, self.dz, self.fz) if control is not None)


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """A segment; durations in ms. `neutral_ms` is the allotment subtracted (8.1), not the time spent; less than
    `bogey_ms` is credited to nobody (5.4). `end_control` is "main" or "main-out" where its last control is such (4.2).
    There a crew that starts when the stage begins is due at `scheduled_ts` (epoch ms), others as much later as they
    start later; None = no timetable, but `target_ms` (4.1). Where `scoring`, or that of a class (by its id), is
    "target_deviation", closeness to `target_ms` ranks (1.1).

    `limit_kmh` holds on the whole segment where no zone does (3.1), `class_limits` per class id.
    """

    id: str
    type: SegmentType
    order: int
    start: ControlPoint | None = None
    finish: ControlPoint | None = None
    waypoints: tuple[WaypointPlan, ...] = ()
    zones: tuple[SpeedZonePlan, ...] = ()
    target_ms: int | None = None
    maximum_ms: int | None = None
    start_from: Literal["crossing", "assigned"] = "crossing"
    rounding_ms: int = 1000
    neutral_ms: int = 0
    limit_kmh: float | None = None
    class_limits: Mapping[str, float] = field(default_factory=dict)
    bogey_ms: int = 0
    end_control: str = ""
    scheduled_ts: int | None = None
    scoring: str = FASTEST
    class_scoring: Mapping[str, str] = field(default_factory=dict)

    def deviation_from(self, race_class: str) -> int | None:
        """The time (ms) to be met by a class for which closeness to it ranks; None where the fastest wins."""
        scoring = self.class_scoring.get(race_class, self.scoring)
        return self.target_ms if self.special and scoring == TARGET_DEVIATION else None

    @property
    def special(self) -> bool:
        """Whether the segment is ranked."""
        return self.type is SegmentType.SPECIAL_STAGE

    def counted(self) -> tuple[WaypointPlan, ...]:
        """The waypoints that may be missed, in the order they must be taken."""
        return tuple(sorted((w for w in self.waypoints if w.counted), key=lambda w: (w.order, w.id)))

    def controls(self) -> Iterator[str]:
        """Every control the segment reads."""
        yield from (point.control for point in (self.start, self.finish) if point is not None)
        yield from (waypoint.control for waypoint in self.waypoints)
        for zone in self.zones:
            yield from zone.controls()


@dataclass(frozen=True, slots=True)
class StagePlan:
    """A stage and the window (epoch ms, inclusive) outside which no crossing is used.

    `leg` names what stages are summed together, "" a leg of its own. Times of two sources further apart than
    `discrepancy_ms` are shown for review. `allow_back` lets a skipped waypoint be validated later (2.2). One that may
    have been passed while no tracker recorded, between fixes more than `gap_limit_ms` apart, is not priced before
    officials confirm that it was missed, or with `price_unproved` until they waive it (2.2).
    Times of a `super_special` stage decide ties only after all others (6.5). Its time counts `overall_factor` times in
    the event, 0 = for the start order alone (7.1).
    """

    id: str
    name: str
    order: int
    from_ts: int
    to_ts: int | None
    segments: tuple[SegmentPlan, ...]
    leg: str = ""
    discrepancy_ms: int = 1000
    allow_back: bool = False
    gap_limit_ms: int = 10_000
    price_unproved: bool = False
    super_special: bool = False
    overall_factor: int = 1

    def ordered(self) -> tuple[SegmentPlan, ...]:
        """The segments as driven."""
        return tuple(sorted(self.segments, key=lambda s: (s.order, s.id)))

    def contains(self, ts: int) -> bool:
        """Whether an instant lies in the stage's window."""
        return ts >= self.from_ts and (self.to_ts is None or ts <= self.to_ts)

    def controls(self) -> frozenset[str]:
        """Every control the stage reads."""
        return frozenset(control for segment in self.segments for control in segment.controls())
