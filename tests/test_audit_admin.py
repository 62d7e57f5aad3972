"""The audit log in the admin: found, read, followed, and a change taken back."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import User
from apps.audit.models import AuditEntry
from apps.common.audit import acting
from apps.events.factories import EntryCrewFactory, EntryFactory, RaceClassFactory
from apps.events.models import Entry
from apps.penalties.factories import DecisionFactory
from apps.timing.factories import TimingRecordFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:audit_auditentry_changelist")


@pytest.fixture
def entry() -> Entry:
    """Changed once: the team, by Arta."""
    row: Entry = EntryFactory(team="Old team", race_number=301)
    with acting("rest", UserFactory(email="arta@example.org"), reason="letter of 3 June"):
        Entry.objects.filter(pk=row.pk).update(team="New team")
    return row


@pytest.fixture
def office(client: Client, entry: Entry) -> Client:
    return signed_in(client, member(entry, "race-director"))


def member(entry: Entry, role: str) -> User:
    user = UserFactory(is_staff=True)
    OrganizationUserFactory(organization=entry.event.organization, role=role, user=user)
    found: User = user
    return found


def signed_in(client: Client, user: User) -> Client:
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def last(row: Any) -> AuditEntry:
    return AuditEntry.objects.filter(row_id=str(row.pk)).latest("id")


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def revert(line: AuditEntry) -> str:
    return reverse("admin:audit_auditentry_revert", args=[line.pk])


def history(row: Entry) -> str:
    return reverse("admin:events_entry_history", args=[row.pk])


def timeline(row: Entry) -> str:
    return reverse("admin:audit_auditentry_timeline", args=[row.pk])


def test_the_list_says_what_was_and_is_by_whom_and_why(office: Client) -> None:
    said = text(office.get(LIST))
    for word in ("arta@example.org", "REST", "Entry", "Team", "Old team → New team", "letter of 3 June"):
        assert word in said


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("table=entries&action=update", True),
        ("table=events&action=update", False),
        ("by=rest", True),
        ("by=sql&action=update", False),
        ("by=other", False),
        ("q=arta", True),
        ("q=301&action=update", True),
        ("q=999", False),
        ("at__gte=2020-01-01", True),
        ("at__gte=2120-01-01", False),
    ],
)
def test_the_list_is_narrowed(office: Client, query: str, found: bool) -> None:
    assert ("New team" in text(office.get(f"{LIST}?{query}"))) is found


def test_the_list_is_narrowed_to_an_entry_an_event_and_a_user(office: Client, entry: Entry) -> None:
    line = last(entry)
    for name, key in (("entry", entry.pk), ("event", entry.event_id), ("user", line.user_id)):
        assert "New team" in text(office.get(f"{LIST}?{name}__id__exact={key}")), name


def test_keys_are_read_as_names(office: Client, entry: Entry) -> None:
    other = RaceClassFactory(event=entry.event, code="M9", name="Nine")
    Entry.objects.filter(pk=entry.pk).update(race_class=other, competing=False, status="dsq")
    said = text(office.get(history(entry)))
    assert "→ M9 Nine" in said and "yes → no" in said and "→ disqualified" in said


def test_nothing_of_the_log_is_edited_here(office: Client, entry: Entry) -> None:
    for name, args in (("add", []), ("delete", [last(entry).pk])):
        assert office.get(reverse(f"admin:audit_auditentry_{name}", args=args)).status_code == 403
    page = reverse("admin:audit_auditentry_change", args=[last(entry).pk])
    assert office.post(page, {"who": "somebody else"}).status_code == 403
    assert "Old team → New team" in text(office.get(page))


def test_a_long_list_takes_no_more_queries(office: Client, entry: Entry) -> None:
    office.get(LIST)
    with CaptureQueriesContext(connection) as few:
        office.get(LIST)
    for number in range(20):
        Entry.objects.filter(pk=entry.pk).update(team=f"Team {number}")
        EntryFactory(event=entry.event, race_class=entry.race_class, vehicle=entry.vehicle)
    with CaptureQueriesContext(connection) as many:
        office.get(LIST)
    assert len(many) <= len(few) + 2


def test_the_history_of_a_row_is_the_log(office: Client, entry: Entry) -> None:
    said = text(office.get(history(entry)))
    assert "Old team → New team" in said and "arta@example.org" in said and "Take back" in said


def test_the_timeline_has_what_belongs_to_the_entry(office: Client, entry: Entry) -> None:
    EntryCrewFactory(entry=entry)
    TimingRecordFactory(entry=entry, reason="clock was wrong")
    DecisionFactory(entry=entry, event=entry.event, reason="jury 7")
    said = text(office.get(timeline(entry)))
    for word in ("Old team → New team", "Entry crew", "clock was wrong", "jury 7"):
        assert word in said, word
    form = office.get(reverse("admin:events_entry_change", args=[entry.pk])).content.decode()
    assert timeline(entry) in form


def test_a_change_is_taken_back_with_a_reason(office: Client, entry: Entry) -> None:
    line = last(entry)
    assert "Old team → New team" in text(office.get(revert(line)))
    assert "This field is required" in text(office.post(revert(line), {"reason": " "}))
    assert office.post(revert(line), {"reason": "wrong entry"}).status_code == 302
    entry.refresh_from_db()
    assert entry.team == "Old team"
    assert last(entry).reason == f"wrong entry (takes back #{line.pk})"
    assert last(entry).door == "admin"


def test_a_refusal_is_said_and_nothing_typed_is_lost(office: Client, entry: Entry) -> None:
    line = last(entry)
    Entry.objects.filter(pk=entry.pk).update(team="Newest")
    answer = office.post(revert(line), {"reason": "wrong entry"})
    assert "Changed again since then: team" in text(answer)
    assert 'value="wrong entry"' in answer.content.decode()
    entry.refresh_from_db()
    assert entry.team == "Newest"


@pytest.mark.parametrize("role", ["timekeeper", "marshal", "viewer"])
def test_the_log_is_for_those_the_table_names(client: Client, entry: Entry, role: str) -> None:
    signed_in(client, member(entry, role))
    for address in (LIST, revert(last(entry)), timeline(entry)):
        assert client.get(address).status_code in (302, 403, 404), address
    assert client.post(revert(last(entry)), {"reason": "x"}).status_code in (302, 403, 404)
    assert "Old team" not in text(client.get(history(entry)))
    entry.refresh_from_db()
    assert entry.team == "New team"


def test_another_organization_sees_nothing_of_it(client: Client, entry: Entry) -> None:
    signed_in(client, member(EntryFactory(), "org-admin"))
    assert "New team" not in text(client.get(LIST))
    for address in (revert(last(entry)), timeline(entry)):
        assert client.get(address).status_code == 404
    assert client.get(reverse("admin:audit_auditentry_change", args=[last(entry).pk])).status_code == 302
