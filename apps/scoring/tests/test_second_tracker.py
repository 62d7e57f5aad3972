"""A tracker that brings its fixes late stands before the one that fell in for it, though it crossed nothing itself."""

import random
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from redis import Redis

from apps.catalog.factories import DeviceFactory
from apps.common import stream
from apps.events.factories import EntryDeviceFactory
from apps.penalties.models import EntryPenalty
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor, scorer

pytestmark = pytest.mark.django_db(transaction=True)


def test_late_fixes_of_the_first_tracker_take_the_judging_over(redis: Redis) -> None:
    """Its record ends in the zone: no crossing tells that anything has changed."""
    built = rally.build(entries=3)
    backup = DeviceFactory()
    fast = built.entries[2]  # it speeds in the zone
    EntryDeviceFactory(entry=fast, device=backup, priority=2, assigned_from=rally.START - timedelta(days=1))
    every = rally.drive(replace(built, entries=built.entries[2:], imeis=("", "", built.imeis[2])), random.Random(7))
    mine = [fix for fix in every if fix.device_id == built.imeis[2]]
    inside = [fix for fix in mine if 1500 < (fix.longitude - rally.LON) * rally.DEGREE_M < 2500]
    slow = [msgspec.structs.replace(fix, speed=40.0) for fix in inside]

    def come(fixes: list[object]) -> None:
        stream.send(redis, "telemetry:t", fixes)  # type: ignore[arg-type]
        processor(redis).run_until_idle()
        scorer(redis).run_until_idle()

    come([msgspec.structs.replace(fix, device_id=backup.imei) for fix in mine])
    assert EntryPenalty.objects.get(type="speed_zone").seconds == 60
    come(list(slow))
    late = rally.readings()
    assert EntryPenalty.objects.get(type="speed_zone").seconds == 0  # an alarm: they differ
    rally.forget()
    come([*slow, *(msgspec.structs.replace(fix, device_id=backup.imei) for fix in mine)])
    assert rally.readings() == late
