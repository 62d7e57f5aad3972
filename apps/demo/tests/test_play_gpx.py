"""Real recorded tracks, played through the whole pipeline, against times worked out by hand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from apps.catalog.factories import DeviceFactory
from apps.common.position import iso
from apps.course.factories import GeofenceFactory, SegmentFactory, StageFactory, WaypointFactory
from apps.course.models import Geofence, Segment
from apps.events.factories import EntryDeviceFactory, EntryFactory, EventFactory
from apps.events.models import EntryDevice, Event
from apps.penalties.factories import PenaltyFormulaFactory
from apps.penalties.models import EntryPenalty
from apps.scoring.models import StageResult
from apps.scoring.tests.pipes import processor, scorer
from apps.timing.models import EntryCrossing

TRACKS = Path(__file__).resolve().parents[4] / "shared" / "data" / "tracks"
pytestmark = pytest.mark.django_db(transaction=True)
NEEDS_TRACKS = pytest.mark.skipif(not TRACKS.is_dir(), reason=f"the recorded tracks are not here: {TRACKS}")


def gate(event: Event, name: str, ends: list[list[float]], bearing: float) -> Geofence:
    geometry = {"type": "LineString", "coordinates": ends}
    made: Geofence = GeofenceFactory.create(event=event, name=name, kind="gate", geometry=geometry, bearing=bearing)
    return made


def ride(starts_at: datetime, start: Geofence, finish: Geofence) -> Segment:
    """A special stage between two gates, for number 7 with one tracker; returns it."""
    rally = start.event
    stage = StageFactory.create(event=rally, starts_at=starts_at)
    PenaltyFormulaFactory.create(event=rally, penalty=900)
    entry = EntryFactory.create(event=rally, race_number=7)
    EntryDeviceFactory.create(entry=entry, device=DeviceFactory.create(), assigned_from=starts_at - timedelta(days=1))
    segment: Segment = SegmentFactory.create(stage=stage, entry_geofence=start, exit_geofence=finish)
    return segment


@pytest.fixture
def flight() -> None:
    """A course over the flight: two gates, a WPM on its way and a WPS that it misses."""
    event = EventFactory.create(slug="flight", starts_at=datetime(2021, 3, 23, tzinfo=UTC))
    segment = ride(
        datetime(2021, 3, 23, 12, tzinfo=UTC),
        gate(event, "start", [[10.8462, 60.927], [10.8462, 60.929]], 270),
        gate(event, "finish", [[10.908, 60.6825], [10.9105, 60.6825]], 180),
    )
    WaypointFactory.create(segment=segment, type="WPM", latitude=60.8703547, longitude=10.6608714, sort_order=1)
    WaypointFactory.create(segment=segment, type="WPS", latitude=60.80, longitude=10.60, sort_order=2)


@pytest.fixture
def lake() -> None:
    """A course over the ride round the lake, with a WPM where the record is silent for ten minutes.

    The gates are short: a straight line of 130 m leaves its parallel by 0.3 mm, at walking pace half a millisecond.
    """
    event = EventFactory.create(slug="lake", starts_at=datetime(2010, 8, 5, tzinfo=UTC))
    segment = ride(
        datetime(2010, 8, 5, 14, tzinfo=UTC),
        gate(event, "start", [[14.3566, 45.7706], [14.3572, 45.7706]], 180),
        gate(event, "finish", [[14.3046, 45.79145], [14.3050, 45.79145]], 180),
    )
    WaypointFactory.create(segment=segment, type="WPM", latitude=45.754446968, longitude=14.369271523)


@pytest.fixture
def hike() -> None:
    """A course over the hike."""
    event = EventFactory.create(slug="hike", starts_at=datetime(2010, 10, 3, tzinfo=UTC))
    ride(
        datetime(2010, 10, 3, 9, tzinfo=UTC),
        gate(event, "start", [[14.0096, 45.4573], [14.0096, 45.4580]], 270),
        gate(event, "finish", [[14.0282, 45.4507], [14.0282, 45.4513]], 270),
    )


def play(redis: Redis, track: str, event: str) -> None:
    call_command("play_gpx", TRACKS / track, event=event)
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()


def cuts() -> list[str]:
    """The times of day, UTC, of all gate crossings."""
    found = EntryCrossing.objects.filter(direction="cut").order_by("ts").values_list("ts", flat=True)
    return [iso(ts)[11:23] for ts in found]


def result() -> tuple[str, int | None, int]:
    """Status, time and penalties, ms, of the one crew."""
    row = StageResult.objects.get(entry__race_number=7)
    return row.status, row.time_ms, row.penalty_ms


@NEEDS_TRACKS
def test_the_flight_is_timed_as_by_hand(flight: None, redis: Redis) -> None:
    """Start: fixes 13:44:20 lon 10.8465182 and 13:44:21 lon 10.8460218, the gate on the meridian 10.8462:
    (10.8465182 - 10.8462) / (10.8465182 - 10.8460218) = 0.6410, so 13:44:20.641.

    Finish: fixes 14:09:23 lat 60.6825035 and 14:09:24 lat 60.6821804, the gate on the parallel 60.6825:
    (60.6825035 - 60.6825) / (60.6825035 - 60.6821804) = 0.0108, so 14:09:23.011.

    14:09:23.011 - 13:44:20.641 = 25:02.370, truncated to 0:25:02. One WPS missed: + 0:15:00.
    """
    play(redis, "light-aircraft-1hz.gpx", "flight")
    assert cuts() == ["13:44:20.641", "14:09:23.011"]
    assert result() == ("finished", 1_502_000, 900_000)
    assert EntryCrossing.objects.filter(direction="enter").count() == 1  # the WPM


@NEEDS_TRACKS
def test_the_ride_round_the_lake_is_timed_as_by_hand(lake: None, redis: Redis) -> None:
    """Start: fixes 14:30:10 lat 45.770663023 and 14:30:19 lat 45.770596471, the gate on the parallel 45.7706:
    (45.770663023 - 45.7706) / (45.770663023 - 45.770596471) = 0.94698 of 9 s, so 14:30:18.523.

    Finish: fixes 16:22:32 lat 45.791499596 and 16:22:42 lat 45.791403623, just within the gap limit of 10 s, the
    gate on the parallel 45.79145: (45.791499596 - 45.79145) / (45.791499596 - 45.791403623) = 0.51677 of 10 s,
    so 16:22:37.168.

    16:22:37.168 - 14:30:18.523 = 1:52:18.645, truncated to 1:52:18. From 15:14:11 the tracker is silent for
    614 s, and the WPM lies in the middle of that chord: no evidence that it was passed, and none that it was missed.
    It costs nothing until an official says that it was missed (rulebook 2.2), who is told of the silence in which it
    could have been passed the slowest: a later one, of 843 s from 15:24:46.
    """
    play(redis, "lake-ride-sparse.gpx", "lake")
    assert cuts() == ["14:30:18.523", "16:22:37.168"]
    assert result() == ("finished", 6_738_000, 0)
    inputs = EntryPenalty.objects.get(entry__race_number=7, type="missed_waypoint").inputs
    assert inputs["case"] == "unproved" and inputs["gap_ends_ts"] - inputs["gap_begins_ts"] == 843_000
    assert not EntryCrossing.objects.exclude(direction="cut").exists()


@NEEDS_TRACKS
def test_the_hike_is_timed_as_by_hand(hike: None, redis: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    """Start: fixes 10:11:56 lon 14.009664673 and 10:12:05 lon 14.009571718, the gate on the meridian 14.0096:
    (14.009664673 - 14.0096) / (14.009664673 - 14.009571718) = 0.69574 of 9 s, so 10:12:02.262.

    Finish: fixes 13:04:25 lon 14.028326059 and 13:04:34 lon 14.028189769, the gate on the meridian 14.0282:
    (14.028326059 - 14.0282) / (14.028326059 - 14.028189769) = 0.92493 of 9 s, so 13:04:33.324.

    13:04:33.324 - 10:12:02.262 = 2:52:31.062, truncated to 2:52:31.
    """
    play(redis, "mountain-hike-sparse.gpx", "hike")
    assert "358 points without a time left out" in capsys.readouterr().err
    assert cuts() == ["10:12:02.262", "13:04:33.324"]
    assert result() == ("finished", 10_351_000, 0)


@NEEDS_TRACKS
def test_a_track_from_before_the_assignment_is_said_to_count_for_nobody(
    flight: None, redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    EntryDevice.objects.update(assigned_from=datetime(2022, 1, 1, tzinfo=UTC))
    play(redis, "light-aircraft-1hz.gpx", "flight")
    assert "5435 points lie outside the time in which number 7 carries" in capsys.readouterr().err
    assert not StageResult.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"event": "none"}, "no event has the slug 'none'"),
        ({"event": "flight", "entry": [8]}, "no tracker on race number 8"),
        ({"event": "flight", "entry": [7, 8]}, "1 files, but 2 entries"),
        ({"event": "flight"}, "nowhere.gpx: No such file"),
        ({"event": "flight", "speed": -1.0}, "--speed is a number from 0"),
    ],
)
def test_what_is_wrong_is_named(flight: None, redis_url: str, arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("play_gpx", Path("nowhere.gpx"), **arguments)
