"""The demo rally in the tables: whole, and made anew as often as one likes."""

from datetime import date

import pytest

from apps.accounts.factories import UserFactory
from apps.course.models import Waypoint, WaypointType
from apps.demo.domain.course import build_course
from apps.demo.domain.field import build_field
from apps.demo.services import ZONE, build_event, make_admin
from apps.events.models import Entry, Event, RaceClass
from apps.scoring.plans import load_plan
from apps.scoring.start_lists import Where, open_stage, reposition
from apps.timing.models import EntrySegmentStart

pytestmark = pytest.mark.django_db
COURSE = build_course(1)


def test_the_rally_of_the_contract_is_there() -> None:
    event = build_event(COURSE, build_field(80, 3, 1))
    assert (event.slug, event.organization.slug, event.time_zone) == (
        "rally-albania-2026", "msc-albania", "Europe/Tirane",
    )  # fmt: skip
    days = [moment.astimezone(ZONE).date() for moment in (event.starts_at, event.ends_at)]
    assert days == [date(2026, 6, 6), date(2026, 6, 13)]
    assert list(RaceClass.objects.filter(event=event).values_list("sort_order", flat=True)) == list(range(10, 190, 10))
    assert set(Waypoint.objects.values_list("type", flat=True)) == set(WaypointType.values)
    entry = Entry.objects.get(event=event, race_number=301)
    models = list(entry.device_links.values_list("device__model__name", flat=True))
    assert models == ["FMB920", "FMB920", "FMB003"]
    assert entry.device_links.get(priority=3).assigned_user == entry.crew_links.get(role="pilot").user
    assert EntrySegmentStart.objects.filter(segment__stage__event=event).count() == 3 * 80


def test_the_scorer_can_read_it() -> None:
    plan = load_plan(str(build_event(COURSE, build_field(6, 3, 1)).id))
    assert len(plan.stages) == 3
    for stage in plan.stages:
        special = next(segment for segment in stage.segments if segment.special)
        assert special.start and special.finish and special.zones


def test_building_again_replaces_what_was_there() -> None:
    """Also what officials made of it since: a start list, a crew moved on it."""
    played = build_event(COURSE, build_field(12, 3, 1))
    stage, official = played.stages.all()[0], UserFactory()
    open_stage(stage, official)
    reposition(stage, Entry.objects.filter(event=played)[3], Where(position=1), "faster", official)
    event = build_event(build_course(2), build_field(6, 3, 2))
    assert Event.objects.count() == 1 and Entry.objects.filter(event=event).count() == 6


def test_the_admin_gets_a_new_password_each_time() -> None:
    assert make_admin().password != make_admin().password
