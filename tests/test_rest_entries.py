"""Events and entries over REST."""

import pytest

from apps.accounts.factories import UserFactory
from apps.audit.models import AuditEntry
from apps.catalog.factories import OrganizationDeviceFactory, VehicleFactory
from apps.events.factories import EntryDeviceFactory, EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, Event
from apps.rest.tests.client import Api, official

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return EventFactory(is_public=False)


def test_a_list_has_what_the_user_may_see_page_by_page(event: Event) -> None:
    entries = [EntryFactory(event=event, race_number=number) for number in (5, 3, 9, 7)]
    EntryFactory()  # of another organization
    api = official(event.organization, "marshal")
    first = api.get("entries?limit=3").json
    assert [row["race_number"] for row in first["results"]] == [3, 5, 7]
    assert first["results"][1]["id"] == str(entries[0].id)
    second = api.get(first["next"].removeprefix("/api/v1/")).json
    assert ([row["race_number"] for row in second["results"]], second["next"]) == ([9], None)


def test_a_list_joins_class_and_vehicle_when_asked(event: Event) -> None:
    entry = EntryFactory(event=event)
    EntryFactory(event=event, vehicle=None)
    rows = official(event.organization).get(f"entries?event={event.id}&expand=race_class,vehicle").rows
    assert rows[0]["race_class"]["code"] == entry.race_class.code
    assert (rows[0]["vehicle"]["make"], rows[1]["vehicle"]) == (entry.vehicle.make, None)


def test_filters_search_and_order(event: Event) -> None:
    for number, team in ((1, "Red"), (2, "Blue"), (3, "Red fox")):
        EntryFactory(event=event, race_number=number, team=team)
    api = official(event.organization)
    assert [row["race_number"] for row in api.get("entries?search=red&ordering=-race_number").rows] == [3, 1]
    assert [row["race_number"] for row in api.get("entries?race_number__gte=2&team=Blue").rows] == [2]


def test_a_list_is_filtered_by_what_its_rows_refer_to(event: Event) -> None:
    """As far as `expand` would show it: a viewer reads no plate, and a stranger's rows are nobody's."""
    car = EntryFactory(event=event, race_number=7, vehicle__plate="AA 001 AA")
    EntryFactory(event=event, race_number=8)
    EntryFactory(race_class__code=car.race_class.code)
    api, code = official(event.organization, "marshal"), car.race_class.code
    for query in (
        f"race_class__code={code}",
        f"event={event.id}&race_class__code__in=x,{code}",
        "vehicle__plate__icontains=001",
    ):
        assert [row["race_number"] for row in api.get(f"entries?{query}").rows] == [7], query
    assert [
        row["race_number"] for row in api.get(f"entries?event={event.id}&expand=vehicle&vehicle__cc__gte=1").rows
    ] == [7, 8]
    hidden = official(event.organization, "viewer").get(f"entries?event={event.id}&vehicle__plate=AA+001+AA")
    assert (hidden.status, hidden.fields) == (422, {"vehicle__plate"})
    assert api.get("entries?race_class__colour=x").status == api.get("entries?crew__role=pilot").status == 400


@pytest.mark.parametrize(
    "query", ["colour=red", "race_number=x", "ordering=colour", "limit=0", "expand=colour", "event=x"]
)
def test_a_wrong_parameter_is_named(event: Event, query: str) -> None:
    answer = official(event.organization).get(f"entries?{query}")
    assert (answer.status, answer.fields) == (400, {query.partition("=")[0]})
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_may_not_be_read_is_no_filter_and_no_order() -> None:
    """Else it would be told letter by letter."""
    EventFactory(notes="secret")
    for query in ("notes=secret", "notes__icontains=s", "ordering=notes"):
        answer = Api().get(f"events?{query}")
        assert (answer.status, answer.fields) == (422, {query.partition("=")[0]})


def test_another_organizations_entry_is_not_there(event: Event) -> None:
    entry = EntryFactory(event=event)
    stranger = official(EventFactory().organization)
    assert stranger.get(f"entries/{entry.id}").status == 404
    assert stranger.patch(f"entries/{entry.id}", {"team": "x"}).status == 404
    assert stranger.get("entries").rows == []


def test_an_entry_is_made_audited_and_can_be_read_back(event: Event) -> None:
    race_class, vehicle = RaceClassFactory(event=event), EntryFactory(event=event).vehicle
    api = official(event.organization)
    body = {"event": str(event.id), "race_class": str(race_class.id), "vehicle": str(vehicle.id), "race_number": 77}
    made = api.post("entries", body, TRM_Reason="late%20entry")
    assert made.status == 201, made.content
    assert api.get(made.headers["Location"].removeprefix("/api/v1/")).content == made.content
    line = AuditEntry.objects.get(table="entries", row_id=made.json["id"])
    assert (line.door, line.reason, line.user_id) == ("rest", "late entry", api.user.pk)  # type: ignore[union-attr]


def test_errors_name_their_fields(event: Event) -> None:
    taken = EntryFactory(event=event)
    api = official(event.organization)
    body = {"event": str(event.id), "race_class": str(taken.race_class_id), "race_number": taken.race_number}
    assert api.post("entries", {**body, "vehicle": str(taken.vehicle_id)}).fields == {"race_number"}
    assert api.post("entries", {**body, "race_number": "12"}).fields == {"race_number"}
    assert api.post("entries", {**body, "race_number": 1 << 40}).fields == {"race_number"}
    assert api.post("entries", {**body, "colour": 1, "status": "x"}).fields == {"colour"}
    assert api.post("entries", {}).fields == {"event", "race_class", "race_number"}
    assert api.post("entries", [1]).status == 400
    assert Entry.objects.count() == 1


def test_what_the_database_refuses_names_its_field(event: Event) -> None:
    """A tracker on two entries at once, an end before the start, a name taken: constraints, asked by the write."""
    api = official(event.organization)
    link = EntryDeviceFactory(entry__event=event)
    OrganizationDeviceFactory(organization=event.organization, device=link.device)
    again = {"entry": str(EntryFactory(event=event).id), "device": str(link.device_id)}
    assert api.post("entry_devices", {**again, "assigned_from": "2026-06-08T00:00:00Z"}).status == 422
    backwards = api.patch(f"events/{event.id}", {"ends_at": "2001-01-01T00:00:00Z"})
    assert (backwards.status, backwards.fields) == (422, {"ends_at"})
    other = EventFactory(organization=event.organization)
    taken = api.patch(f"events/{event.id}", {"slug": other.slug})
    assert (taken.fields, taken.json["errors"][0]["code"]) == ({"slug"}, "unique_together")
    twice = [{"code": "A", "name": "A"}, {"code": "A", "name": "B"}]
    body = {"name": "R", "slug": "r", "starts_at": "2026-06-06T08:00:00Z", "ends_at": "2026-06-13T18:00:00Z"}
    nested = api.post("events", {**body, "organization": str(event.organization_id), "classes": twice})
    assert nested.fields == {"classes.1.code"}
    assert not Event.objects.filter(slug="r").exists()


def test_nothing_is_hung_on_another_organization(event: Event) -> None:
    """A known hole of the incumbent: a restricted role writes a row for another organization."""
    other = EntryFactory()
    api = official(event.organization)
    own = RaceClassFactory(event=event)
    body = {"event": str(event.id), "race_class": str(own.id), "race_number": 5}
    assert api.post("entries", {**body, "event": str(other.event_id)}).status in (403, 422)
    assert api.post("entries", {**body, "race_class": str(other.race_class_id)}).fields == {"race_class"}
    assert "vehicle" in api.post("entries", {**body, "vehicle": str(VehicleFactory().id)}).fields
    entry = EntryFactory(event=event)
    assert api.patch(f"entries/{entry.id}", {"event": str(other.event_id)}).status in (403, 422)


def test_two_officials_edit_one_row_and_the_second_loses_nothing(event: Event) -> None:
    entry = EntryFactory(event=event, team="old")
    first, second = official(event.organization), official(event.organization)
    tag = second.get(f"entries/{entry.id}").headers["ETag"]
    assert first.patch(f"entries/{entry.id}", {"team": "first"}, If_Match=tag).status == 200
    refused = second.patch(f"entries/{entry.id}", {"team": "second"}, If_Match=tag)
    assert refused.status == 412
    assert (refused.json["current"]["team"], refused.json["yours"]["team"]) == ("first", "second")
    assert second.patch(f"entries/{entry.id}", {"team": "second"}, If_Match=refused.json["etag"]).status == 200
    entry.refresh_from_db()
    assert entry.team == "second"


def test_what_is_unchanged_is_not_sent_again(event: Event) -> None:
    entry = EntryFactory(event=event)
    api = official(event.organization)
    tag = api.get(f"entries/{entry.id}").headers["ETag"]
    assert api.get(f"entries/{entry.id}", If_None_Match=tag).status == 304


def test_a_row_that_others_refer_to_stays(event: Event) -> None:
    entry = EntryFactory(event=event)
    answer = official(event.organization).delete(f"classes/{entry.race_class_id}")
    assert (answer.status, "entries" in answer.json["detail"]) == (409, True)


def test_a_marshal_reads_and_writes_no_entry(event: Event) -> None:
    entry = EntryFactory(event=event)
    marshal = official(event.organization, "marshal")
    assert marshal.get(f"entries/{entry.id}").status == 200
    assert marshal.patch(f"entries/{entry.id}", {"team": "x"}).status == 403
    assert marshal.delete(f"entries/{entry.id}").status == 403


def test_spectators_see_public_events_and_public_fields() -> None:
    public, hidden = EventFactory(notes="secret"), EventFactory(is_public=False)
    rows = Api().get("events").rows
    assert [row["id"] for row in rows] == [str(public.id)]
    assert "notes" not in rows[0]
    assert Api().get(f"events/{hidden.id}").status == 404
    assert Api().get("devices").status == 401
    assert Api(UserFactory()).get("devices").status == 403


def test_a_deviant_id_is_no_row() -> None:
    for path in ("events/x", "events/-1.5", "nothing", "events/x/y/z"):
        answer = Api().get(path)
        assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_an_instant_that_no_zone_has_is_no_fault_of_the_server(event: Event) -> None:
    """PostgreSQL refuses offsets of more than 15:59 hours."""
    api = official(event.organization)
    assert api.get("events?created_at__gte=0512-04-06T17:45:27-22:38").rows
    assert api.get("events?created_at__gte=9999-12-31T23:00:00-10:00").status == 400


def test_a_private_event_is_private_in_lists_too() -> None:
    """What is read of an event for the policy must be its own columns, each in its place."""
    event = EventFactory(is_public=False)
    assert Api().get(f"entries?event={event.id}").status in (401, 403)
    assert official(event.organization, "marshal").get(f"entries?event={event.id}").status == 200
