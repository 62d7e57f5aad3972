"""A running special stage with one crew on it, for the tests of the watch."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.utils import timezone

from apps.catalog.factories import DeviceFactory
from apps.common.position import Position
from apps.course.factories import SegmentFactory, StageFactory
from apps.course.models import Segment, Stage
from apps.events.factories import EntryDeviceFactory, EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, Event
from apps.scoring.factories import StageResultFactory
from apps.scoring.inputs import milliseconds
from apps.scoring.models import StageResult
from apps.telemetry.queries import write_positions

LAT, LON = 41.3, 19.8
METRE = 1 / 111_060  # of latitude, in degrees, here


@dataclass(frozen=True, slots=True)
class Field:
    event: Event
    stage: Stage
    segment: Segment
    entry: Entry
    result: StageResult
    imei: str = "356093000000301"

    def fix(self, ago_s: float, metres: float = 0, *, imei: str = "", decoded: Any = None, **more: Any) -> Position:
        """Write a fix so many seconds ago, so many metres north; it."""
        ts = now_ms() - round(ago_s * 1000)
        made = Position(imei or self.imei, ts, LAT + metres * METRE, LON, **{"satellites": 11, "speed": 0.0} | more)
        write_positions([made], [None if decoded is None else orjson.dumps(decoded).decode()])
        return made

    def stand(self, seconds: int, until_s: int = 0, metres: float = 0) -> None:
        """Fixes every ten seconds at one place, after a drive there."""
        for n in range(5):
            self.fix(seconds + 5 * (n + 1), metres - 100 * (n + 1), speed=60.0)
        for ago in range(seconds, until_s - 1, -10):
            self.fix(ago, metres)


def now_ms() -> int:
    return milliseconds(timezone.now())


def build(**segment: Any) -> Field:
    """The crew went into the stage an hour ago."""
    now = timezone.now()
    event = EventFactory.create(starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=3))
    stage = StageFactory.create(event=event, starts_at=now - timedelta(hours=2))
    part = SegmentFactory.create(stage=stage, **{"type": "special-stage", "maximum_duration_seconds": 36_000} | segment)
    entry = EntryFactory.create(
        event=event, race_class=RaceClassFactory.create(event=event), race_number=301, status="started"
    )
    driven = {"segment": str(part.pk), "driven_ts": now_ms() - 3_600_000, "finish_ts": None}
    result = StageResultFactory.create(entry=entry, stage=stage, status="running", outcome={"segments": [driven]})
    field = Field(event, stage, part, entry, result)
    carry(field, field.imei)
    return field


def carry(field: Field, imei: str, **more: Any) -> None:
    device = DeviceFactory.create(imei=imei)
    EntryDeviceFactory.create(entry=field.entry, device=device, assigned_from=field.event.starts_at, **more)
