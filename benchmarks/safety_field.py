"""The rally of `benchmarks/safety.py`: crews on a special stage, and buttons that are pressed."""

import random
import time
from collections.abc import Sequence
from datetime import timedelta

import redis
from django.utils import timezone

from apps.accounts.models import Organization
from apps.catalog.models import Device, DeviceModel
from apps.common import stream
from apps.common.position import Position
from apps.course.models import Segment, Stage
from apps.events.models import Entry, EntryDevice, Event, RaceClass
from apps.scoring.inputs import milliseconds
from apps.scoring.models import StageResult
from apps.telemetry.pipeline import windows_of
from apps.telemetry.queries import write_positions

BATCHES_A_SECOND = 10
LAT, LON = 41.3, 19.8
Field = Sequence[tuple[str, str]]  # entry and its tracker's IMEI


def build(crews: int) -> Field:
    """An event that is on, with so many entries that went into its stage a minute ago."""
    now = timezone.now()
    organization = Organization.objects.create(name="Bench", slug="bench")
    event = Event.objects.create(
        organization=organization, name="Safety", slug="safety", starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=1),
    )  # fmt: skip
    stage = Stage.objects.create(event=event, name="Stage", sort_order=1, starts_at=now - timedelta(hours=1))
    segment = Segment.objects.create(stage=stage, sort_order=1, type="special-stage", maximum_duration_seconds=36_000)
    one = RaceClass.objects.create(event=event, code="C", name="Cars")
    model, _ = DeviceModel.objects.get_or_create(name="FMB920")
    driven = {"segment": str(segment.pk), "driven_ts": milliseconds(now) - 60_000, "finish_ts": None}
    made = []
    for n in range(crews):
        entry = Entry.objects.create(event=event, race_class=one, race_number=n + 1, status="started")
        device = Device.objects.create(imei=f"3560930000{n:05}", model=model)
        EntryDevice.objects.create(entry=entry, device=device, assigned_from=event.starts_at)
        StageResult.objects.create(entry=entry, stage=stage, status="running", outcome={"segments": [driven]})
        made.append((str(entry.pk), device.imei))
    return made


def await_watch(url: str) -> None:
    """Until the watch has read its first message; it knows nothing of the device named."""
    with stream.connect(url) as client:
        stream.announce(client, [("0", 0, 0)])
        group = stream.Group(client, stream.REQUESTS_STREAM, "safety", "measure")
        group.ensure()
        while group.lag():
            time.sleep(0.05)


def drive(url: str, field: Field, seconds: int, dice: random.Random) -> dict[str, float]:
    """Every crew sends a fix a second, and at some second its panic; by entry the instant (s) its commit was over."""
    presses = {imei: dice.randrange(seconds * BATCHES_A_SECOND) for _, imei in field}
    entries = {imei: entry for entry, imei in field}
    pressed: dict[str, float] = {}
    begin = time.monotonic()
    with stream.connect(url) as client:
        for turn in range(seconds * BATCHES_A_SECOND):
            time.sleep(max(0.0, begin + turn / BATCHES_A_SECOND - time.monotonic()))
            fixes = [
                _fix(imei, turn, panic=presses[imei] == turn)
                for n, (_, imei) in enumerate(field)
                if presses[imei] == turn or n % BATCHES_A_SECOND == turn % BATCHES_A_SECOND
            ]
            _send(client, fixes)
            at = time.time()
            pressed |= {entries[fix.device_id]: at for fix in fixes if fix.priority}
    return pressed


def _send(client: redis.Redis, fixes: Sequence[Position]) -> None:
    write_positions(fixes)
    stream.announce(client, windows_of(fixes))


def _fix(imei: str, turn: int, *, panic: bool) -> Position:
    metres = turn * 2.0  # 20 m/s, ten turns a second
    place = (LAT + metres / 111_060, LON)
    return Position(imei, milliseconds(timezone.now()), *place, speed=72.0, satellites=11, priority=2 * panic)
