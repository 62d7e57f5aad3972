"""A rally on the ground: a course with controls and a zone, crews with trackers, and tracks they drove."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import cos, pi, sin

from apps.catalog.factories import DeviceFactory
from apps.common.position import Position
from apps.course.factories import GeofenceFactory, SegmentFactory, SpeedLimitZoneFactory, WaypointFactory
from apps.course.models import GeofenceKind, Segment, Stage, Waypoint
from apps.events.factories import EntryDeviceFactory
from apps.live.tests.boards import Board, build, result
from apps.penalties.models import EntryPenalty
from apps.scoring.models import StageResult
from apps.telemetry.queries import write_positions
from apps.timing.models import EntryCrossing

SECOND = 1000
MINUTE = 60 * SECOND
LAT, LON = 41.30, 19.90


@dataclass(frozen=True, slots=True)
class Scene:
    """`start` is when the first crew starts the first stage, epoch ms; the others follow a minute apart."""

    board: Board
    segment: Segment
    controls: tuple[Waypoint, ...]
    imeis: tuple[str, ...]
    start: int

    @property
    def stage(self) -> Stage:
        return self.board.stages[0]

    def address(self, page: str = "") -> str:
        event = self.board.event
        return f"/live/{event.organization.slug}/{event.slug}/{page}"


def point(share: float, lane: float = 0.0) -> tuple[float, float]:
    """(latitude, longitude) at a share of the stage's way; crews keep to lanes a little apart."""
    return LAT + 0.12 * share + 0.02 * sin(2 * pi * share) + lane, LON + 0.18 * share + 0.03 * cos(3 * pi * share)


def stage(entries: int = 6, *, public: bool = True, days_ago: float = 0.0) -> Scene:
    """The prologue of `boards.build`, started two hours ago, or more; the last crew is still under way."""
    board = build(entries, public=public)
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago)
    begin = now - timedelta(hours=2)
    event = board.event
    event.starts_at, event.ends_at = begin - timedelta(hours=1), now + timedelta(days=3)
    event.save()
    for n, one in enumerate(board.stages):
        Stage.objects.filter(id=one.id).update(starts_at=begin + timedelta(days=n))
        one.refresh_from_db()
    segment = SegmentFactory.create(stage=board.stages[0], name="SS 1")
    scene = Scene(board, segment, _controls(segment), _trackers(board), int(begin.timestamp() * 1000))
    _surroundings(scene)
    for n, imei in enumerate(scene.imeis):
        _drive(scene, n, imei)
    return scene


def second_stage(scene: Scene) -> Scene:
    """The next stage, half a day later over the same ground; the last crew is still under way there, too."""
    stage = scene.board.stages[1]
    begin = datetime.fromtimestamp(scene.start / 1000, UTC) + timedelta(hours=12)
    Stage.objects.filter(id=stage.id).update(starts_at=begin)
    stage.refresh_from_db()
    for n, entry in enumerate(scene.board.entries):
        result(entry, stage, n, running=n == len(scene.board.entries) - 1)
    segment = SegmentFactory.create(stage=stage, name="SS 2")
    board = replace(scene.board, stages=(stage,))
    made = Scene(board, segment, _controls(segment), scene.imeis, int(begin.timestamp() * 1000))
    for n, imei in enumerate(scene.imeis):
        _drive(made, n, imei)
    return made


def _controls(segment: Segment) -> tuple[Waypoint, ...]:
    kinds = [("DSS", "Start"), ("WPM", "WP 1"), ("WPE", "WP 2"), ("WPS", "WP 3"), ("ASS", "Finish")]
    made = []
    for n, (kind, name) in enumerate(kinds):
        latitude, longitude = point(n / (len(kinds) - 1))
        made.append(WaypointFactory.create(segment=segment, type=kind, name=name, latitude=latitude,
                                           longitude=longitude, sort_order=n))  # fmt: skip
    return tuple(made)


def _trackers(board: Board) -> tuple[str, ...]:
    devices = [DeviceFactory.create() for _ in board.entries]
    for entry, device in zip(board.entries, devices, strict=True):
        EntryDeviceFactory.create(entry=entry, device=device)
    return tuple(device.imei for device in devices)


def _surroundings(scene: Scene) -> None:
    latitude, longitude = point(0.5)
    ring = [
        [longitude + dx, latitude + dy] for dx, dy in ((-0.02, -0.01), (0.02, -0.01), (0.02, 0.012), (-0.02, -0.01))
    ]
    SpeedLimitZoneFactory.create(segment=scene.segment, geometry={"type": "Polygon", "coordinates": [ring]})
    bivouac = [[LON - 0.02 + dx, LAT + dy] for dx, dy in ((0, 0), (0.02, 0), (0.02, 0.015), (0, 0.015), (0, 0))]
    geometry = {"type": "Polygon", "coordinates": [bivouac]}
    GeofenceFactory.create(event=scene.board.event, name="Bivouac", kind=GeofenceKind.BIVOUAC, geometry=geometry)


def _drive(scene: Scene, n: int, imei: str) -> None:
    """A fix each 10 s over ten minutes and more; the last crew has driven 60 % of the way by now."""
    running = n == len(scene.imeis) - 1
    took = (10 + n) * MINUTE
    start = scene.start + 110 * MINUTE + n * 10 * SECOND if running else scene.start + n * MINUTE
    driven = 0.6 if running else 1.0
    fixes = [_fix(imei, start + at, (at / took, n)) for at in range(0, int(took * driven) + 1, 10 * SECOND)]
    write_positions(fixes)
    _results(scene, n, (start, start + took, driven))


def _fix(imei: str, ts: int, where: tuple[float, int]) -> Position:
    share, n = where
    latitude, longitude = point(share, n * 0.0006)
    return Position(imei, ts, latitude, longitude, speed=72.0, angle=50.0, satellites=12)


def _results(scene: Scene, n: int, drive: tuple[int, int, float]) -> None:
    start, finish, driven = drive
    segment = {"segment": str(scene.segment.id), "start_ts": start, "driven_ts": start}
    segment["finish_ts"] = finish if driven == 1 else None
    outcome = {"segments": [segment]}
    StageResult.objects.filter(entry=scene.board.entries[n], stage=scene.stage).update(outcome=outcome)
    for at, control in enumerate(scene.controls):
        share = at / (len(scene.controls) - 1)
        if share <= driven:
            ts = int(start + (finish - start) * share)
            EntryCrossing.objects.create(
                entry=scene.board.entries[n], control=control.id, direction="enter", ts=ts, uncertainty_ms=50,
                device=scene.imeis[n], before_ts=ts, after_ts=ts, fraction=0,
            )  # fmt: skip
    if n:
        EntryPenalty.objects.create(entry=scene.board.entries[n], stage=scene.stage, key=f"speed {n}",
                                    type="speed_zone", seconds=60 * n, article="12.3")  # fmt: skip


def later_fix(scene: Scene, n: int, share: float, ts: int) -> Position:
    """Where a crew would be at a share of the way."""
    return _fix(scene.imeis[n], ts, (share, n))
