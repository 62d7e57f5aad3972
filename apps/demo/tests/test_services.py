"""The demo rally in the tables: whole, and made anew as often as one likes."""

from datetime import date

import pytest

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.course.models import Waypoint, WaypointType
from apps.demo.domain.course import build_course
from apps.demo.domain.field import build_field
from apps.demo.services import ZONE, build_event, make_logins
from apps.events.models import Entry, Event, RaceClass
from apps.integrations.models import DomainEvent
from apps.live.models import Acknowledgement
from apps.scoring.plans import load_plan
from apps.scoring.start_lists import Where, open_stage, reposition
from apps.timing.factories import EntryCrossingFactory
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


def test_nothing_of_the_last_rally_is_left_but_its_history() -> None:
    """Also what was told to other programs, and what race control did; the audit log is for ever."""
    played = build_event(COURSE, build_field(6, 3, 1))
    entry, official = Entry.objects.filter(event=played)[0], UserFactory()
    EntryCrossingFactory.create(entry=entry)
    Acknowledgement.objects.create(entry=entry, alarm_ts=1, author=official)
    assert DomainEvent.objects.filter(event_id=played.id).exists()
    build_event(COURSE, build_field(6, 3, 1))
    assert not DomainEvent.objects.filter(event_id=played.id).exists()
    assert not Acknowledgement.objects.exists()


def test_the_race_office_gets_new_passwords_each_time_and_may_do_its_work() -> None:
    club = build_event(COURSE, build_field(5, 3, 1)).organization
    before, logins = make_logins(club), make_logins(club)
    assert [login.role for login in logins] == ["race director", "timekeeper", "administrator"]
    for old, login in zip(before, logins, strict=True):
        user = User.objects.get(email=login.email)
        assert user.check_password(login.password) and not user.check_password(old.password)
        assert user.is_staff
