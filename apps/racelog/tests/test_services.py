"""Acts of race control: by the policy, with what they need, taken back by another act and never changed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.accounts.services import set_role
from apps.course.factories import SegmentFactory, StageFactory, WaypointFactory
from apps.course.models import Stage
from apps.events.factories import EntryFactory
from apps.events.models import Entry
from apps.penalties.models import EntryIncident
from apps.racelog import services
from apps.racelog.domain.log import Kind, stage_state
from apps.racelog.factories import RaceControlSettingsFactory
from apps.racelog.gate import gate, refusal
from apps.racelog.models import LogLine
from apps.racelog.queries import state_lines
from apps.racelog.services import Draft

pytestmark = pytest.mark.django_db

Role = Callable[[str], User]


@pytest.fixture
def entry() -> Entry:
    made: Entry = EntryFactory(event__is_public=False, race_number=301)
    return made


@pytest.fixture
def stage(entry: Entry) -> Stage:
    made: Stage = StageFactory(event=entry.event)
    return made


@pytest.fixture
def role(entry: Entry) -> Role:
    def of(name: str) -> User:
        user: User = UserFactory()
        set_role(entry.event.organization, user, name)
        user.refresh_from_db()
        return user

    return of


def draft(stage: Stage, kind: Kind, text: str = "wind", **more: Any) -> Draft:
    return Draft(stage.event, kind, stage, text=text, **more)


def test_a_line_keeps_who_when_and_why(stage: Stage, role: Role) -> None:
    before = timezone.now()
    line = services.write(role("race-director"), draft(stage, Kind.HOLD, " Helicopter is away "))
    assert (line.text, line.stage, line.undone) == ("Helicopter is away", stage, None)
    assert before <= line.at <= timezone.now()
    assert stage_state(state_lines(stage.event_id), str(stage.pk)).frozen


def test_who_may_what(stage: Stage, role: Role) -> None:
    """A timekeeper says go and writes notes, and holds no start; a viewer does neither."""
    keeper, viewer = role("timekeeper"), role("viewer")
    services.write(keeper, draft(stage, Kind.GO, about="timing"))
    services.write(keeper, draft(stage, Kind.NOTE))
    for user, kind in ((keeper, Kind.HOLD), (keeper, Kind.RED), (viewer, Kind.NOTE), (viewer, Kind.GO)):
        with pytest.raises(PermissionDenied):
            services.write(user, draft(stage, kind, about="timing"))
    line = services.write(role("race-director"), draft(stage, Kind.HOLD))
    with pytest.raises(PermissionDenied):
        services.take_back(keeper, line, "x")
    assert not services.may_act(keeper, Kind.HOLD, stage.event)
    assert services.may_act(keeper, Kind.FALSE_START, stage.event)
    assert not services.may_act(viewer, Kind.FALSE_START, stage.event)


def test_a_reason_is_needed_and_what_cannot_be_is_refused(stage: Stage, entry: Entry, role: Role) -> None:
    director = role("race-director")
    for wrong in (
        draft(stage, Kind.HOLD, " "),
        draft(stage, Kind.RELEASE),
        draft(stage, Kind.GREEN),
        draft(stage, Kind.GO),
        draft(stage, Kind.PROTEST),
        draft(stage, Kind.HEARD, about="none"),
        draft(stage, Kind.NOTIONAL, about="none"),
        Draft(stage.event, Kind.RED),
        draft(StageFactory(), Kind.NOTE, entry=entry),
    ):
        with pytest.raises((ValidationError, PermissionDenied)):
            services.write(director, wrong)
    assert not LogLine.objects.exists()
    services.write(director, draft(stage, Kind.RED, ""))
    with pytest.raises(ValidationError, match="stopped already"):
        services.write(director, draft(stage, Kind.RED))


def test_a_false_start_is_reported_and_withdrawn_with_its_line(stage: Stage, entry: Entry, role: Role) -> None:
    director = role("race-director")
    what = replace(draft(stage, Kind.FALSE_START), entry=entry)
    line = services.report_false_start(director, what, 1600)
    incident = EntryIncident.objects.get()
    assert (incident.kind, incident.value_ms, incident.entry, incident.stage) == ("false_start", 1600, entry, stage)
    services.take_back(director, line, "the beam was wet")
    incident.refresh_from_db()
    assert incident.withdrawn_at is not None and incident.withdrawn_reason == "the beam was wet"
    with pytest.raises(ValidationError, match="taken back before"):
        services.take_back(director, line, "again")
    with pytest.raises(ValidationError, match="Name the crew"):
        services.report_false_start(director, draft(stage, Kind.FALSE_START), 0)


def test_nothing_is_half_written(stage: Stage, entry: Entry, role: Role) -> None:
    """A report whose line is refused leaves no incident."""
    with pytest.raises(ValidationError):
        services.report(role("race-director"), replace(draft(stage, Kind.INCIDENT, ""), entry=entry), "road_offence")
    assert not EntryIncident.objects.exists()


def test_what_rests_on_a_line_is_taken_back_first(stage: Stage, role: Role) -> None:
    director = role("race-director")
    held = services.write(director, draft(stage, Kind.HOLD))
    released = services.write(director, draft(stage, Kind.RELEASE))
    with pytest.raises(ValidationError, match="starts released"):
        services.take_back(director, held, "typo")
    undone = services.take_back(director, released, "not yet")
    assert stage_state(state_lines(stage.event_id), str(stage.pk)).hold is not None
    with pytest.raises(ValidationError):
        services.take_back(director, undone, "x")
    with pytest.raises(ValidationError, match="Say why"):
        services.take_back(director, held, " ")
    services.take_back(director, held, "typo")
    assert not stage_state(state_lines(stage.event_id), str(stage.pk)).frozen


def test_the_database_refuses_to_change_a_line(stage: Stage, role: Role) -> None:
    line = services.write(role("race-director"), draft(stage, Kind.NOTE))
    with pytest.raises(IntegrityError, match="take it back"), transaction.atomic():
        LogLine.objects.filter(pk=line.pk).update(text="something else")


def test_a_stage_is_ready_when_all_who_are_needed_say_go(stage: Stage, role: Role) -> None:
    director = role("race-director")
    assert "medical, sweep, timing" in gate(stage).sentence
    for service in ("medical", "sweep", "timing"):
        services.write(director, draft(stage, Kind.GO, "", about=service))
    assert gate(stage).sentence == ""
    services.write(director, draft(stage, Kind.NO_GO, "fog", about="helicopter"))
    assert gate(stage).sentence == "Not ready: helicopter: no-go."


def test_the_event_says_whether_opening_is_refused_and_whether_controls_report(stage: Stage) -> None:
    segment = SegmentFactory(stage=stage, name="SS 1")
    start = WaypointFactory(segment=segment, type="DSS", name="DSS")
    WaypointFactory(segment=segment, type="WPM", name="WPM")
    assert refusal(stage) == ""
    RaceControlSettingsFactory(event=stage.event, opening="refuse", controls=True, services=["timing"])
    assert [post.key for post in gate(stage).needed] == ["timing", str(start.pk)]
    assert refusal(stage).startswith("Not ready: timing, SS 1")
