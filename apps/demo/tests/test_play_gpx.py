"""A real recorded flight, played through the whole pipeline, against times worked out by hand."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from apps.catalog.factories import DeviceFactory
from apps.course.factories import GeofenceFactory, SegmentFactory, StageFactory, WaypointFactory
from apps.events.factories import EntryDeviceFactory, EntryFactory, EventFactory
from apps.events.models import Entry, Event
from apps.penalties.factories import PenaltyFormulaFactory
from apps.scoring.models import StageResult
from apps.scoring.tests.pipes import processor, scorer
from apps.timing.models import EntryCrossing

TRACKS = Path(__file__).resolve().parents[4] / "shared" / "data" / "tracks"
FLIGHT = TRACKS / "light-aircraft-1hz.gpx"
pytestmark = pytest.mark.django_db(transaction=True)
NEEDS_TRACKS = pytest.mark.skipif(not FLIGHT.exists(), reason=f"the recorded tracks are not here: {TRACKS}")


def gate(event: Event, name: str, ends: list[list[float]], bearing: float) -> object:
    return GeofenceFactory(
        event=event, name=name, kind="gate", geometry={"type": "LineString", "coordinates": ends}, bearing=bearing
    )


@pytest.fixture
def entry() -> Entry:
    """A course over the flight: two gates, a WPM on its way and a WPS that it misses."""
    event = EventFactory(slug="flight", starts_at=datetime(2021, 3, 23, tzinfo=UTC))
    stage = StageFactory(event=event, starts_at=datetime(2021, 3, 23, 12, tzinfo=UTC))
    segment = SegmentFactory(
        stage=stage,
        entry_geofence=gate(event, "start", [[10.8462, 60.927], [10.8462, 60.929]], 270),
        exit_geofence=gate(event, "finish", [[10.908, 60.6825], [10.9105, 60.6825]], 180),
    )
    WaypointFactory(segment=segment, type="WPM", latitude=60.8703547, longitude=10.6608714, sort_order=1)
    WaypointFactory(segment=segment, type="WPS", latitude=60.80, longitude=10.60, sort_order=2)
    PenaltyFormulaFactory(event=event, penalty=900)
    entry = EntryFactory(event=event, race_number=7)
    EntryDeviceFactory(entry=entry, device=DeviceFactory(), assigned_from=datetime(2021, 3, 1, tzinfo=UTC))
    return entry


def ms(*clock: int) -> int:
    return int(datetime(2021, 3, 23, *clock, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


@NEEDS_TRACKS
def test_the_flight_is_timed_as_by_hand(entry: Entry, redis: Redis) -> None:
    """Start: fixes 13:44:20 lon 10.8465182 and 13:44:21 lon 10.8460218, the gate on the meridian 10.8462:
    (10.8465182 - 10.8462) / (10.8465182 - 10.8460218) = 0.6410, so 13:44:20.641.

    Finish: fixes 14:09:23 lat 60.6825035 and 14:09:24 lat 60.6821804, the gate on the parallel 60.6825:
    (60.6825035 - 60.6825) / (60.6825035 - 60.6821804) = 0.0108, so 14:09:23.011.

    14:09:23.011 - 13:44:20.641 = 25:02.370, truncated to 0:25:02. One WPS missed: + 0:15:00.
    """
    call_command("play_gpx", FLIGHT, event="flight")
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()
    cuts = list(EntryCrossing.objects.filter(direction="cut").order_by("ts").values_list("ts", flat=True))
    assert cuts == [ms(13, 44, 20, 641_000), ms(14, 9, 23, 11_000)]
    result = StageResult.objects.get(entry=entry)
    assert (result.status, result.time_ms, result.penalty_ms) == ("finished", 1_502_000, 900_000)
    assert result.total_ms == 2_402_000
    assert EntryCrossing.objects.filter(direction="enter").count() == 1  # the WPM


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"event": "none"}, "no event has the slug 'none'"),
        ({"event": "flight", "entry": [8]}, "no tracker on race number 8"),
        ({"event": "flight", "entry": [7, 8]}, "1 files, but 2 entries"),
        ({"event": "flight"}, "nowhere.gpx: No such file"),
    ],
)
def test_what_is_wrong_is_named(entry: Entry, redis_url: str, arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("play_gpx", Path("nowhere.gpx"), **arguments)
