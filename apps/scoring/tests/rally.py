"""A small rally for tests: one straight special stage, a field of crews, and the fixes they send."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from apps.catalog.factories import DeviceFactory
from apps.common.position import Position
from apps.course.factories import SegmentFactory, SpeedLimitZoneFactory, StageFactory, WaypointFactory
from apps.events.factories import EntryDeviceFactory, EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, Event
from apps.penalties.factories import PenaltyFormulaFactory

START = datetime(2026, 6, 7, 23, 50, tzinfo=UTC)  # the stage runs over midnight, and so over two partitions
LAT = 41.0
LON = 20.0
DEGREE_M = 84_000.0  # a degree of longitude at 41°, near enough to drive by


@dataclass(frozen=True, slots=True)
class Rally:
    event: Event
    stage_id: str
    entries: tuple[Entry, ...]
    imeis: tuple[str, ...]


def build(entries: int = 5, limit_kmh: float = 50) -> Rally:
    """DSS at 0 m, a WPM at 1 km, a zone from 1.5 to 2.5 km, a WPS at 3 km, ASS at 4 km."""
    event = EventFactory()
    stage = StageFactory(event=event, name="Stage 1", starts_at=START)
    segment = SegmentFactory(stage=stage)
    for order, (type_, metres, radius) in enumerate(
        [("DSS", 0, 30), ("WPM", 1000, 90), ("WPS", 3000, 30), ("ASS", 4000, 30)]
    ):
        WaypointFactory(
            segment=segment,
            type=type_,
            name=f"{type_} {metres}",
            latitude=LAT,
            longitude=LON + metres / DEGREE_M,
            tolerance_meters=radius,
            sort_order=order,
        )
    SpeedLimitZoneFactory(segment=segment, geometry=zone(1500, 2500), speed_limit_kmh=limit_kmh)
    PenaltyFormulaFactory(event=event, type="missed_waypoint", penalty=900)
    PenaltyFormulaFactory(event=event, type="speed_zone", offence_min=1, offence_max=20, penalty=60)
    PenaltyFormulaFactory(event=event, type="speed_zone", offence_min=21, penalty=120)
    classes = [RaceClassFactory(event=event), RaceClassFactory(event=event)]
    crews = [EntryFactory(event=event, race_class=classes[n % 2], race_number=301 + n) for n in range(entries)]
    devices = [DeviceFactory() for _ in crews]
    for crew, device in zip(crews, devices, strict=True):
        EntryDeviceFactory(entry=crew, device=device, assigned_from=START - timedelta(days=1))
    return Rally(event, str(stage.id), tuple(crews), tuple(device.imei for device in devices))


def instant(ts: int) -> datetime:
    """Epoch ms as a time."""
    return datetime.fromtimestamp(ts / 1000, UTC)


def zone(from_m: float, to_m: float) -> dict[str, Any]:
    west, east = LON + from_m / DEGREE_M, LON + to_m / DEGREE_M
    ring = [[west, LAT - 0.002], [east, LAT - 0.002], [east, LAT + 0.002], [west, LAT + 0.002], [west, LAT - 0.002]]
    return {"type": "Polygon", "coordinates": [ring]}


def drive(rally: Rally, rng: random.Random) -> list[Position]:
    """Every crew drives the stage at a pace of its own: the second misses the WPM, the third speeds."""
    return [fix for n, imei in enumerate(rally.imeis) for fix in _drive_one(n, imei, rng)]


def _drive_one(n: int, imei: str, rng: random.Random) -> list[Position]:
    metres, ts = -200.0, int(START.timestamp() * 1000) + n * 60_000
    pace, fixes = 15 + rng.random() * 10, []
    while metres < 4300:
        speed = pace if not 1400 < metres < 2600 else 18.0 if n == 2 else 13.0
        aside = 0.0015 if n == 1 and 700 < metres < 1300 else 0.0
        lat = LAT + aside + rng.gauss(0, 2e-5)
        lon = LON + metres / DEGREE_M
        fixes.append(Position(imei, ts, round(lat, 7), round(lon, 7), speed=round(speed * 3.6), satellites=11))
        metres += speed
        ts += 1000
    return fixes


READINGS = {
    "crossings": "select entry_id, control, direction, ts, uncertainty_ms, device, before_ts, after_ts, fraction,"
    " occurrence, min_distance_m from entry_crossings order by 1, 4, 2, 3, 6, 7, 10",
    "penalties": "select entry_id, stage_id, key, seconds, inputs, applies_to from entry_penalties order by 1, 2, 3",
    "results": "select entry_id, stage_id, status, time_ms, penalty_ms, total_ms, rank, class_rank, inputs_hash"
    " from stage_results order by 1, 2",
    "overall": "select entry_id, status, time_ms, penalty_ms, total_ms, rank, class_rank, completed_stages"
    " from event_results order by 1",
}


def readings() -> dict[str, list[tuple[Any, ...]]]:
    """All that the scorer derives, in an order of its own, without the keys that are drawn anew."""
    found = {}
    with connection.cursor() as cursor:
        for name, sql in READINGS.items():
            cursor.execute(sql)
            found[name] = cursor.fetchall()
    return found


def forget() -> None:
    """Empty evidence and readings; the event stays."""
    with connection.cursor() as cursor:
        cursor.execute("truncate positions, entry_crossings, entry_penalties, stage_results, event_results, outbox")
