"""The command: what it prints, how it ends, and that the scorers hear of it."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from apps.course.factories import SegmentFactory, StageFactory
from apps.course.models import SegmentType, Waypoint
from apps.events.factories import EventFactory

pytestmark = pytest.mark.django_db

KML = """<kml xmlns="http://www.opengis.net/kml/2.2">
<Placemark><name>{name}</name><Point><coordinates>{lon},41</coordinates></Point></Placemark>
</kml>"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "stage.kml"
    path.write_text(KML.format(name="WPM 1", lon=20))
    return path


@pytest.fixture
def segment() -> Any:
    event = EventFactory(slug="albania", organization__slug="club")
    return SegmentFactory(stage=StageFactory(event=event, name="Day 1", sort_order=1), sort_order=2)


def run(*args: object, **options: object) -> str:
    out = io.StringIO()
    call_command("import_course", *map(str, args), stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize("event", ["albania", "club/albania"])
@pytest.mark.parametrize("stage", ["Day 1", "1"])
def test_a_course_is_imported_and_the_scorers_are_told(
    segment: Any, good: Path, redis: Redis, event: str, stage: str
) -> None:
    said = run(event, stage, good)
    assert "warning line 2 'WPM 1'" in said
    assert "1 waypoint, 0 geofences, 0 zones imported" in said
    assert segment.waypoints.count() == 1
    requests: Any = redis.xrange("recompute:requests")
    told = [fields for _, fields in requests]
    assert told == [{b"reason": b"course", b"event_id": str(segment.stage.event_id).encode()}]


def test_a_dry_run_writes_nothing_and_tells_nobody(segment: Any, good: Path, redis: Redis) -> None:
    assert "could be imported" in run("albania", "1", good, dry_run=True)
    assert Waypoint.objects.count() == 0
    assert redis.xlen("recompute:requests") == 0


def test_errors_are_printed_and_counted_and_nothing_is_imported(segment: Any, tmp_path: Path, redis: Redis) -> None:
    path = tmp_path / "broken.kml"
    path.write_text(KML.format(name="WPP 1", lon=200))
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"broken\.kml: 2 errors, nothing is imported") as raised:
        call_command("import_course", "albania", "1", str(path), stdout=out)
    assert raised.value.returncode == 1
    assert "error   line 2 'WPP 1'" in out.getvalue()
    assert "longitude" in out.getvalue() and "radius_m" in out.getvalue()
    assert Waypoint.objects.count() == 0
    assert redis.xlen("recompute:requests") == 0


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("nowhere", "1"), "0 events are called 'nowhere'; there are: club/albania"),
        (("other/albania", "1"), "0 events are called"),
        (("albania", "Day 9"), "0 stages of .* are called 'Day 9'; there are: 1 'Day 1'"),
        (("albania", "1", "--segment=7"), "give --segment with one of: 2 special stage 2"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_ones(
    segment: Any, good: Path, args: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        run(*args[:2], good, *args[2:])


def test_a_file_that_is_not_there_is_named(segment: Any, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.gpx: No such file"):
        run("albania", "1", tmp_path / "none.gpx")


def test_a_stage_of_many_segments_takes_its_only_special_stage_or_asks(segment: Any, good: Path, redis: Redis) -> None:
    liaison = SegmentFactory(stage=segment.stage, type=SegmentType.LIAISON, sort_order=1)
    run("albania", "1", good)
    assert segment.waypoints.count() == 1
    run("albania", "1", good, segment=1)
    assert liaison.waypoints.count() == 1
    SegmentFactory(stage=segment.stage, sort_order=3)
    with pytest.raises(CommandError, match="give --segment"):
        run("albania", "1", good)
