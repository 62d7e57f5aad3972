"""The rally of the benchmark as rows: an event, its course of 60 controls and 8 zones, entries, positions."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from apps.accounts.models import Organization
from apps.catalog.models import Device, DeviceModel
from apps.common.position import Position, instant
from apps.course.models import Geofence, Segment, SpeedLimitZone, Stage, Waypoint
from apps.events.models import Entry, EntryDevice, Event, RaceClass
from apps.penalties.models import PenaltyFormula
from benchmarks import field
from benchmarks.field import CONTROLS, PAIRED, ZONE_LIMIT_KMH, ZONES, Drives

FENCES = frozenset(range(5, CONTROLS, 7))  # of these every second is a line gate, the rest are areas
PAIRS = tuple((7 * n + 1, 7 * n + 2) for n in PAIRED)  # the controls of DZ and FZ
ATTRIBUTES = (
    b'{"239": 1, "240": 1, "21": 4, "200": 0, "69": 1, "181": 9, "182": 6, "67": 4012, "66": 13250, "16": 4512345}'
)
# A row of binary COPY, every field of one width: a length before each value, big-endian.
ROW = np.dtype(
    [
        ("fields", ">i2"), ("l1", ">i4"), ("device", "S15"), ("l2", ">i4"), ("ts", ">i8"),
        ("l3", ">i4"), ("lat", ">f8"), ("l4", ">i4"), ("lon", ">f8"), ("l5", ">i4"), ("altitude", ">f4"),
        ("l6", ">i4"), ("angle", ">f4"), ("l7", ">i4"), ("speed", ">f4"), ("l8", ">i4"), ("satellites", ">i2"),
        ("l9", ">i4"), ("priority", ">i2"), ("l10", ">i4"), ("codec", "S2"),
        ("l11", ">i4"), ("version", "i1"), ("attributes", f"S{len(ATTRIBUTES)}"),
    ]
)  # fmt: skip
LENGTHS = (15, 8, 8, 8, 4, 4, 4, 2, 2, 2, len(ATTRIBUTES) + 1)
COPY = (
    "copy positions (device_id, ts, latitude, longitude, altitude, angle, speed,"
    " satellites, priority, codec, attributes) from stdin (format binary)"
)
COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"
EPOCH_2000_MS = 946_684_800_000


@dataclass(frozen=True, slots=True, eq=False)
class Rally:
    """`starts` are the instants (epoch ms) of each car's first fix; `names` the control of each waypoint."""

    event: str
    stage: str
    entries: tuple[str, ...]
    imeis: tuple[str, ...]
    starts: NDArray[np.int64]
    drives: Drives


def build(name: str, drives: Drives, begin: int, interval_s: int) -> Rally:
    """An event with one stage and one device an entry; the first car sets off at `begin`, epoch ms."""
    organization, _ = Organization.objects.get_or_create(name="Bench", slug="bench")
    since = instant(begin - 3_600_000)
    event = Event.objects.create(
        organization=organization, name=name, slug=name, starts_at=since, ends_at=since + timedelta(days=2)
    )
    stage = Stage.objects.create(event=event, name="Stage", sort_order=1, starts_at=since)
    _course(event, stage)
    cars = len(drives.lat)
    entries = _entries(event, cars)
    imeis = _devices(name, entries, since)
    starts = begin + np.arange(cars, dtype=np.int64) * interval_s * 1000
    return Rally(str(event.id), str(stage.id), tuple(str(e.id) for e in entries), imeis, starts, drives)


def _course(event: Event, stage: Stage) -> None:
    """Two special stages with a liaison between them, a formula table for speed and one for missed waypoints."""
    parts = [("special-stage", range(28)), ("liaison", range(28, 30)), ("special-stage", range(30, CONTROLS))]
    segments = [Segment.objects.create(stage=stage, sort_order=n, type=kind) for n, (kind, _) in enumerate(parts)]
    for segment, (kind, controls) in zip(segments, parts, strict=True):
        for n in controls:
            if n in FENCES:
                _fence(event, n)
            else:
                ends = {controls[0]: "DSS", controls[-1]: "ASS"} if kind == "special-stage" else {}
                _waypoint(segment, n, ends.get(n, _kind(n)))
    for n in range(ZONES):
        _zone(segments[0 if 7 * n + 4 < 28 else 2], n)
    PenaltyFormula.objects.create(event=event, type="missed_waypoint", penalty=900)
    PenaltyFormula.objects.create(event=event, type="speed_zone", offence_min=1, offence_max=20, penalty=60)
    PenaltyFormula.objects.create(event=event, type="speed_zone", offence_min=21, penalty=120)


def _kind(n: int) -> str:
    pair = [kind for dz, fz in PAIRS for at, kind in ((dz, "DZ"), (fz, "FZ")) if n == at]
    return pair[0] if pair else ("WPM", "WPS", "WPE")[n % 3]


def _waypoint(segment: Segment, n: int, kind: str) -> None:
    lat, lon = _place(field.control_m(n))
    radius = {"WPM": 90, "WPS": 30, "WPE": 60}.get(kind, 40)
    Waypoint.objects.create(
        segment=segment,
        type=kind,
        name=f"{kind} {n}",
        latitude=lat,
        longitude=lon,
        tolerance_meters=radius,
        sort_order=n,
    )


def _fence(event: Event, n: int) -> None:
    at = field.control_m(n)
    if n % 2:
        left, right = _place(at, 60.0), _place(at, -60.0)
        geometry: dict[str, Any] = {"type": "LineString", "coordinates": [left[::-1], right[::-1]]}
        Geofence.objects.create(event=event, name=f"Gate {n}", kind="gate", geometry=geometry)
        return
    Geofence.objects.create(event=event, name=f"Area {n}", geometry=_polygon(at - 100, at + 100))


def _zone(segment: Segment, n: int) -> None:
    """Six areas, and two pairs of a DZ and an FZ."""
    if n in PAIRED:
        dz, fz = (segment.waypoints.get(sort_order=at) for at in PAIRS[PAIRED.index(n)])
        SpeedLimitZone.objects.create(segment=segment, dz_waypoint=dz, fz_waypoint=fz, speed_limit_kmh=ZONE_LIMIT_KMH)
        return
    area = _polygon(*field.zone_m(n))
    SpeedLimitZone.objects.create(segment=segment, geometry=area, speed_limit_kmh=ZONE_LIMIT_KMH)


def _polygon(from_m: float, to_m: float) -> dict[str, Any]:
    ring = field.corridor(from_m, to_m, 45.0)
    return {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in ring]]}


def _place(at: float, aside: float = 0.0) -> tuple[float, float]:
    lat, lon = field.degrees(np.array([at]), aside)
    return float(lat[0]), float(lon[0])


def _entries(event: Event, cars: int) -> list[Entry]:
    classes = [RaceClass.objects.create(event=event, code=f"C-{n}", name="Cars") for n in range(6)]
    rows = [Entry(event=event, race_class=classes[n % 6], race_number=n + 1) for n in range(cars)]
    return Entry.objects.bulk_create(rows)


def _devices(name: str, entries: list[Entry], since: Any) -> tuple[str, ...]:
    model, _ = DeviceModel.objects.get_or_create(name="FMB920")
    first = {"whole": 356_093_000_000_000, "live": 356_094_000_000_000}[name]
    rows = [Device(imei=str(first + n), model=model) for n in range(len(entries))]
    Device.objects.bulk_create(rows)
    EntryDevice.objects.bulk_create(
        EntryDevice(entry=entry, device=device, assigned_from=since)
        for entry, device in zip(entries, rows, strict=True)
    )
    return tuple(row.imei for row in rows)


def load(database: str, rally: Rally, keep: NDArray[np.bool_]) -> int:
    """Store the kept fixes (a mask of the shape of the drives) in the order they were sent; how many."""
    car, second = np.nonzero(keep)
    ts = rally.starts[car] + second * 1000
    order = np.argsort(ts, kind="stable")
    with psycopg.connect(database, autocommit=True) as connection, connection.cursor() as cursor:
        with cursor.copy(COPY) as target:
            target.write(COPY_HEADER)
            for part in np.array_split(order, max(1, len(order) // 50_000)):
                target.write(_rows(rally, car[part], second[part], ts[part]).tobytes())
            target.write(COPY_END)
        cursor.execute("vacuum analyze positions")
    return len(order)


def _rows(rally: Rally, car: NDArray[np.int64], second: NDArray[np.int64], ts: NDArray[np.int64]) -> NDArray[np.void]:
    rows = np.zeros(len(car), ROW)
    rows["fields"] = len(LENGTHS)
    for n, length in enumerate(LENGTHS, start=1):
        rows[f"l{n}"] = length
    rows["device"] = np.array(rally.imeis, "S15")[car]
    rows["ts"] = (ts - EPOCH_2000_MS) * 1000
    rows["lat"], rows["lon"] = rally.drives.lat[car, second], rally.drives.lon[car, second]
    rows["speed"] = rally.drives.speed[car, second]
    rows["altitude"], rows["angle"], rows["satellites"] = 812, 90, 11
    rows["codec"], rows["version"], rows["attributes"] = b"8E", 1, ATTRIBUTES
    return rows


def near_controls(drives: Drives) -> NDArray[np.bool_]:
    """The fixes around the controls and zones: a short history that scores like the whole."""
    keep = np.zeros(drives.lat.shape, bool)
    places = [_place(field.control_m(n)) for n in range(CONTROLS)]
    places += [_place(sum(field.zone_m(n)) / 2) for n in range(ZONES)]
    for n, (lat, lon) in enumerate(places):
        reach = 200.0 if n < CONTROLS else 1_800.0
        keep |= np.hypot((drives.lat - lat) * field.METRES_LAT, (drives.lon - lon) * field.METRES_LON) < reach
    return keep


def tick(rally: Rally, now: int) -> list[Position]:
    """What the trackers send in the second that begins at `now`, epoch ms."""
    sent = []
    for car, imei in enumerate(rally.imeis):
        second = (now - int(rally.starts[car])) // 1000
        if 0 <= second < rally.drives.lat.shape[1]:
            lat, lon = float(rally.drives.lat[car, second]), float(rally.drives.lon[car, second])
            speed = float(rally.drives.speed[car, second])
            sent.append(Position(imei, now, lat, lon, 812, 90, speed, 11, 0, "8E", {"239": 1, "66": 13250}))
    return sent
