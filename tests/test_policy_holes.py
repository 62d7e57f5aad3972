"""Holes the incumbent had, knocked at here by whoever could have come through."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.accounts import policy
from apps.accounts.factories import OrganizationFactory, OrganizationUserFactory, UserFactory
from apps.accounts.models import Organization, OrganizationUser, User
from apps.audit.models import AuditEntry
from apps.catalog.factories import OrganizationDeviceFactory, OrganizationVehicleFactory, VehicleFactory
from apps.catalog.models import Vehicle
from apps.course.factories import GeofenceFactory, SegmentFactory, StageFactory
from apps.course.services import import_course
from apps.events.factories import EntryCrewFactory, EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, EntryCrew, Event
from apps.penalties.factories import PenaltyFormulaFactory
from apps.timing.factories import EntrySegmentStartFactory
from tests.forms import Sent, sent

pytestmark = pytest.mark.django_db


def member(organization: Organization, role: str = "race-director") -> User:
    user: User = OrganizationUserFactory(organization=organization, role=role, user=UserFactory(is_staff=True)).user
    return user


def page(model: type[Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.fixture
def entry(db: None) -> Entry:
    row: Entry = EntryFactory(team="Home")
    row.vehicle = OrganizationVehicleFactory(organization=row.event.organization).vehicle
    row.save()
    return row


@pytest.fixture
def office(client: Client, entry: Entry) -> Client:
    """The admin as the race director of the entry's organization sees it."""
    client.force_login(member(entry.event.organization), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def foreign(db: None) -> Entry:
    row: Entry = EntryFactory(team="Foreign")
    return row


def shown(office: Client, row: Model) -> Sent:
    return sent(office.get(page(type(row), "change", row.pk)))


def save(office: Client, row: Model, **values: Any) -> HttpResponse:
    """What a browser sends from the row's page, with these values in it instead of what stood there."""
    answer: Any = office.post(page(type(row), "change", row.pk), shown(office, row) | values)
    return answer  # type: ignore[no-any-return]


# A restricted role writes a row for another organization.


def test_a_row_cannot_be_moved_by_naming_another_organizations_event(
    office: Client, entry: Entry, foreign: Entry
) -> None:
    answer = save(office, entry, event=str(foreign.event_id), race_class=str(foreign.race_class_id), team="moved")
    assert answer.status_code == 200
    assert "not one of the available choices" in answer.content.decode()
    entry.refresh_from_db()
    assert (entry.event_id, entry.team) != (foreign.event_id, "moved")
    assert entry.team == "Home"


def test_a_row_cannot_be_made_in_another_organizations_event(office: Client, entry: Entry, foreign: Entry) -> None:
    given = {"event": foreign.event_id, "race_class": foreign.race_class_id, "race_number": 7, "status": "registered"}
    forms = {
        f"{name}-{part}": 0 for name in ("crew_links", "device_links") for part in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    assert office.post(page(Entry, "add"), given | forms).status_code == 200
    assert not Entry.objects.filter(race_number=7).exists()


def test_a_choice_the_form_forgot_to_narrow_is_still_refused(
    office: Client, entry: Entry, foreign: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form of one's own may offer every row there is: what is written is asked about, not what is offered."""
    offered = admin.ModelAdmin.get_field_queryset
    monkeypatch.setattr(type(admin.site._registry[Entry]), "get_field_queryset", offered)
    answer = save(office, entry, event=str(foreign.event_id), race_class=str(foreign.race_class_id))
    assert "You may not change this: it belongs to another organization" in answer.content.decode()
    entry.refresh_from_db()
    assert entry.event_id != foreign.event_id


@pytest.mark.parametrize("field", ["vehicle", "race_class"])
def test_a_reference_cannot_lead_out(office: Client, entry: Entry, foreign: Entry, field: str) -> None:
    targets: dict[str, Model] = {"vehicle": VehicleFactory(), "race_class": RaceClassFactory(event=foreign.event)}
    target = targets[field]
    assert save(office, entry, **{field: str(target.pk)}).status_code == 200
    entry.refresh_from_db()
    assert getattr(entry, f"{field}_id") != target.pk


def test_an_inline_cannot_fetch_what_is_not_ones_own(office: Client, entry: Entry) -> None:
    """A crew link to a stranger would show their phone number; a link's own id moves the link."""
    stranger = EntryCrewFactory()
    new = {"crew_links-TOTAL_FORMS": "1", "crew_links-0-user": str(stranger.user_id), "crew_links-0-role": "pilot"}
    assert save(office, entry, **new).status_code == 200
    stolen = new | {"crew_links-INITIAL_FORMS": "1", "crew_links-0-id": str(stranger.pk)}
    assert save(office, entry, **stolen).status_code == 200
    assert not EntryCrew.objects.filter(entry=entry).exists()
    assert EntryCrew.objects.get(pk=stranger.pk).entry_id == stranger.entry_id


def test_an_inline_cannot_hang_on_another_organizations_row(office: Client, entry: Entry) -> None:
    stage, fence = StageFactory(event=entry.event), GeofenceFactory()
    segment = {"segments-TOTAL_FORMS": "1", "segments-0-type": "selective", "segments-0-sort_order": "1"}
    assert save(office, stage, **segment, **{"segments-0-entry_geofence": str(fence.pk)}).status_code == 200
    assert not stage.segments.exists()


def test_a_list_that_can_be_edited_writes_no_foreign_row(
    office: Client, entry: Entry, foreign: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin.site._registry[Entry], "list_editable", ("race_class", "team"))
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "_save": "Save", "form-0-team": "written"}
    moved = form | {"form-0-id": str(entry.pk), "form-0-race_class": str(foreign.race_class_id)}
    office.post(page(Entry, "changelist"), moved)
    stolen = form | {"form-0-id": str(foreign.pk), "form-0-race_class": str(foreign.race_class_id)}
    office.post(page(Entry, "changelist"), stolen)
    assert set(Entry.objects.values_list("team", flat=True)) == {"Home", "Foreign"}
    office.post(page(Entry, "changelist"), moved | {"form-0-race_class": str(entry.race_class_id)})
    assert set(Entry.objects.values_list("team", flat=True)) == {"written", "Foreign"}


def test_an_action_reaches_no_foreign_row(office: Client, entry: Entry, foreign: Entry) -> None:
    act = {"action": "delete_selected", "_selected_action": [str(foreign.pk)], "post": "yes"}
    office.post(page(Entry, "changelist"), act)
    assert Entry.objects.filter(pk=foreign.pk).exists()
    office.post(page(Entry, "changelist"), act | {"_selected_action": [str(entry.pk), str(foreign.pk)]})
    assert set(Entry.objects.values_list("pk", flat=True)) == {foreign.pk}


def test_a_member_cannot_raise_the_own_role(client: Client) -> None:
    home = OrganizationFactory()
    director = member(home)
    client.force_login(director, backend="django.contrib.auth.backends.ModelBackend")
    link = OrganizationUser.objects.get(user=director)
    form = {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "1", "memberships-0-id": str(link.pk)}
    raised = {"memberships-0-role": "org-admin", "memberships-0-organization": str(home.pk), "is_superuser": "on"}
    save(client, director, **form, **raised)
    save(client, home, **form, **raised, **{"memberships-0-user": str(director.pk)})
    link.refresh_from_db()
    director.refresh_from_db()
    assert (link.role, director.is_superuser) == ("race-director", False)


# A rule that refuses its own organization.

OWN: list[Callable[[Event], Model]] = [
    lambda event: event.organization,
    lambda event: event,
    lambda event: RaceClassFactory(event=event),
    lambda event: EntryFactory(event=event),
    lambda event: EntryCrewFactory(entry=EntryFactory(event=event)).entry,
    lambda event: StageFactory(event=event),
    lambda event: SegmentFactory(stage=StageFactory(event=event)),
    lambda event: GeofenceFactory(event=event),
    lambda event: PenaltyFormulaFactory(event=event),
    lambda event: EntrySegmentStartFactory(
        entry=EntryFactory(event=event), segment=SegmentFactory(stage=StageFactory(event=event))
    ),
    lambda event: OrganizationVehicleFactory(organization=event.organization).vehicle,
    lambda event: OrganizationDeviceFactory(organization=event.organization).device,
    lambda event: OrganizationVehicleFactory(organization=event.organization),
    lambda event: member(event.organization, "viewer"),
]


@pytest.mark.parametrize("made", range(len(OWN)))
def test_an_org_admin_saves_every_form_of_the_own_organization(client: Client, made: int) -> None:
    event = EventFactory()
    row = OWN[made](event)
    client.force_login(member(event.organization, "org-admin"), backend="django.contrib.auth.backends.ModelBackend")
    answer = save(client, row)
    context = answer.context  # type: ignore[attr-defined]
    faults = (context["errors"], [form.formset.errors for form in context["inline_admin_formsets"]]) if context else ()
    assert answer.status_code == 302, (row, faults)


# Identifiers leak through deletion.


def test_a_page_to_delete_names_nothing_of_another_organization(client: Client) -> None:
    """A vehicle two organizations know: one's page to delete it would list the other's private entries."""
    mine = OrganizationVehicleFactory()
    theirs = EntryFactory(vehicle=mine.vehicle, race_number=98765, event=EventFactory(name="Secret rally"))
    user = member(mine.organization, "org-admin")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    answers = [
        client.get(page(Vehicle, "delete", mine.vehicle_id)),
        client.post(page(Vehicle, "delete", mine.vehicle_id), {"post": "yes"}),
        client.post(
            page(Vehicle, "changelist"), {"action": "delete_selected", "_selected_action": [str(mine.vehicle_id)]}
        ),
    ]
    for answer in answers:
        text = answer.content.decode()
        assert not any(name in text for name in ("98765", "Secret rally", str(theirs.pk)))
    assert Vehicle.objects.filter(pk=mine.vehicle_id).exists()


@pytest.mark.parametrize("name", ["change", "delete", "history"])
def test_a_foreign_row_answers_as_one_that_is_not_there(
    office: Client, entry: Entry, foreign: Entry, name: str
) -> None:
    """Else an id that leaked could be tried out: is it there, was it deleted?"""
    key = foreign.pk
    there = office.get(page(Entry, name, key), follow=True)
    foreign.delete()
    gone = office.get(page(Entry, name, key), follow=True)
    assert there.status_code == gone.status_code
    assert there.redirect_chain == gone.redirect_chain
    assert [str(m) for m in there.context["messages"]] == [str(m) for m in gone.context["messages"]]


def test_the_line_of_a_deleted_row_is_for_those_who_saw_the_row() -> None:
    """The log keeps what was deleted; a stranger must not read it there, nor a viewer the phone numbers in it."""
    link = EntryCrewFactory()
    home = link.entry.event.organization
    link.delete()
    lines = AuditEntry.objects.filter(table="entry_crew", action="delete")
    assert policy.visible(member(home), lines).exists()
    for outsider in (member(OrganizationFactory(), "org-admin"), member(home, "viewer"), member(home, "marshal")):
        assert not policy.visible(outsider, lines).exists()


# An import row that answers with raw SQL.

POISON = [
    {"name": "x\u0000y"},
    {"name": "x" * 5000},
    {"name": "'; drop table waypoints; --", "radius": 1e308},
    {"name": "WPM 1", "radius": -1},
    {"name": "WPM 1", "speed": 10**30, "type": "DZ"},
    {"name": "\ud800"},
    {"name": 7, "radius": "wide", "open": 10**30},
]


@pytest.mark.parametrize("properties", POISON, ids=range(len(POISON)))
@pytest.mark.parametrize("point", [[20, 41], [1e308, 41], [20, None], ["x", "y"], []], ids=str)
def test_a_bad_import_row_is_answered_in_words(properties: dict[str, Any], point: list[Any]) -> None:
    """Each with place, field and reason; and nothing half done."""
    feature = {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": point}}
    data = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    segment = SegmentFactory()
    report = import_course(segment, "course.geojson", data, replace=False, dry_run=False)
    said = " ".join(f"{one.place} {one.field} {one.reason}" for one in report.findings).lower()
    assert not any(word in said for word in ("insert into", "violates", "psycopg", "traceback", "sql"))
    assert bool(report.errors) is not segment.waypoints.exists()
