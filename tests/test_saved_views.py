"""Lists as officials arrange them: columns, filters over relations, saved for one, for a role and for all."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.factories import OrganizationFactory, UserFactory
from apps.accounts.models import Organization, SavedView, User
from apps.accounts.services import set_role
from apps.catalog.factories import VehicleFactory
from apps.events.factories import EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Event

pytestmark = pytest.mark.django_db

ENTRIES, VIEWS = reverse("admin:events_entry_changelist"), reverse("admin:events_entry_views")
ARRANGED = "columns=race_number,race_class__code,vehicle__make,team&race_class__code__icontains=C&o=-1"


@pytest.fixture
def event() -> Event:
    event: Event = EventFactory.create()
    for number, code in ((301, "C-1"), (302, "M-1")):
        row = RaceClassFactory.create(event=event, code=code)
        EntryFactory.create(
            event=event, race_class=row, race_number=number, vehicle=VehicleFactory(make=f"Make {code}")
        )
    return event


def member(organization: Organization, role: str) -> Client:
    client, user = Client(), UserFactory.create()
    set_role(organization, user, role)
    client.force_login(User.objects.get(pk=user.pk))
    return client


def numbers(client: Client, query: str) -> list[int]:
    return [row.race_number for row in client.get(f"{ENTRIES}?{query}").context["cl"].result_list]


def test_a_filter_over_a_relation_and_other_columns_are_in_the_address(event: Event) -> None:
    client = member(event.organization, "race-director")
    asked = {"field": "race_class__code", "operator": "icontains", "value": "m-", "q": ""}
    answer = client.get(ENTRIES, asked)
    assert answer.url == f"{ENTRIES}?q=&race_class__code__icontains=m-"  # type: ignore[attr-defined]
    assert numbers(client, "race_class__code__icontains=m-") == [302]
    answer = client.get(ENTRIES, {"column": ["race_number", "vehicle__make"]})
    page = client.get(answer.url).content.decode()  # type: ignore[attr-defined]
    assert "Make C-1" in page and "column-status" not in page


def test_what_a_role_may_not_read_is_neither_shown_nor_asked_for(event: Event) -> None:
    """A viewer who enters the admin reads no plates: not as a column, not letter by letter through a filter."""
    director, viewer = member(event.organization, "race-director"), member(event.organization, "viewer")
    User.objects.filter(memberships__role="viewer").update(is_staff=True)
    assert director.get(f"{ENTRIES}?vehicle__plate__icontains=A").status_code == 200
    assert viewer.get(f"{ENTRIES}?vehicle__plate__icontains=A").status_code == 400
    assert viewer.get(f"{ENTRIES}?crew__password__icontains=A").status_code == 400
    shown = viewer.get(f"{ENTRIES}?columns=race_number,vehicle__plate").context["cl"].list_display
    assert "vehicle__plate" not in shown


def test_a_value_that_does_not_fit_is_told(event: Event) -> None:
    client = member(event.organization, "race-director")
    asked = {"field": "race_number", "operator": "gte", "value": "many"}
    page = client.get(ENTRIES, asked, follow=True)
    assert "does not fit the field" in page.content.decode()


@pytest.mark.parametrize(
    ("field", "operator", "value", "address", "words"),
    [
        ("competing", "exact", "Yes", "competing__exact=1", "Competing is “1”"),
        ("status", "exact", "Accepted", "status__exact=accepted", "Status is “accepted”"),
        ("team", "empty", "", "team__exact=", "Team is empty"),
        ("team", "filled", "", "team__gt=", "Team is not empty"),
        ("vehicle__year", "empty", "", "vehicle__year__isnull=1", "Vehicle › Year is empty"),
    ],
)
def test_a_filter_is_typed_and_read_in_words_and_taken_away(
    event: Event, field: str, operator: str, value: str, address: str, words: str
) -> None:
    client = member(event.organization, "race-director")
    answer = client.get(ENTRIES, {"field": field, "operator": operator, "value": value})
    assert answer.url == f"{ENTRIES}?{address}"  # type: ignore[attr-defined]
    page = client.get(answer.url)  # type: ignore[attr-defined]
    assert (page.status_code, page.context["view_filters"]) == (200, [(words, "")])


@pytest.mark.parametrize(("field", "value"), [("competing", "maybe"), ("status", "gone")])
def test_a_value_that_is_none_of_the_fields_is_told_with_those_there_are(event: Event, field: str, value: str) -> None:
    client = member(event.organization, "race-director")
    page = client.get(ENTRIES, {"field": field, "operator": "exact", "value": value}, follow=True)
    assert f"“{value}” does not fit the field. It is one of:" in page.content.decode()


def test_a_view_saved_under_its_name_again_takes_its_place_and_a_forgotten_one_can_be_saved_again(event: Event) -> None:
    director = member(event.organization, "race-director")
    assert "Give the view a name" in director.post(VIEWS, {"name": " ", "query": "o=1"}, follow=True).content.decode()
    for query in ("o=1", ARRANGED):
        director.post(VIEWS, {"name": "Cars", "query": query})
    view = SavedView.objects.get()
    assert "vehicle__make" in view.query
    assert director.post(VIEWS, {"act": "forget", "view": str(view.pk)}).url == f"{ENTRIES}?{view.query}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("audience", "sees"), [("", set()), ("{org}", {"timekeeper", "marshal"}), ("{org}:marshal", {"marshal"})]
)
def test_a_view_is_for_one_for_a_role_or_for_all(event: Event, audience: str, sees: set[str]) -> None:
    director = member(event.organization, "race-director")
    form = {"name": "Cars", "query": f"{ARRANGED}&p=3", "audience": audience.format(org=event.organization_id)}
    assert director.post(VIEWS, form).status_code == 302
    assert director.post(VIEWS, form | {"audience": "", "name": "Mine"}).status_code == 302
    assert "p=" not in SavedView.objects.first().query  # type: ignore[union-attr]
    for role in ("timekeeper", "marshal"):
        page = member(event.organization, role).get(ENTRIES)
        assert bool(page.context["views"]) is (role in sees), role
    assert not member(OrganizationFactory.create(), "race-director").get(ENTRIES).context["views"]


def test_only_who_may_saves_for_others_and_forgets_what_is_not_theirs(event: Event) -> None:
    director, marshal = member(event.organization, "race-director"), member(event.organization, "marshal")
    marshal.post(VIEWS, {"name": "x", "query": "", "audience": str(event.organization_id)})
    assert not SavedView.objects.exists()
    director.post(VIEWS, {"name": "x", "query": "", "audience": str(event.organization_id)})
    view = SavedView.objects.get()
    assert marshal.post(VIEWS, {"act": "forget", "view": str(view.pk)}).status_code == 403
    assert director.post(VIEWS, {"act": "forget", "view": str(view.pk)}).status_code == 302
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("entries", [1, 300])
def test_an_arranged_list_takes_the_same_queries_for_one_row_and_for_300(event: Event, entries: int) -> None:
    row = event.classes.get(code="C-1")
    EntryFactory.create_batch(entries, event=event, race_class=row, vehicle=VehicleFactory())
    client = member(event.organization, "race-director")
    client.get(ENTRIES)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(f"{ENTRIES}?{ARRANGED}&refresh=1").status_code == 200
    assert len(asked) == 12
