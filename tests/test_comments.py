"""Comments on rows: by whom, for whom, on the change page and the entry's page; each in the audit log."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.factories import OrganizationFactory
from apps.accounts.models import Comment
from apps.audit.models import AuditEntry
from apps.course.factories import StageFactory
from apps.events.factories import EntryFactory
from apps.events.models import Entry
from tests.test_saved_views import member

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry() -> Entry:
    entry: Entry = EntryFactory.create()
    return entry


def say(client: Client, entry: Entry, text: str, back: str = "") -> int:
    address = reverse("admin:events_entry_comment", args=[entry.pk])
    return client.post(address, {"text": text, "next": back}).status_code


def test_a_comment_is_shown_where_the_row_is(entry: Entry) -> None:
    stage = StageFactory.create(event=entry.event)
    assert say(member(entry.event.organization, "marshal"), entry, "broken <mirror>") == 302
    reader = member(entry.event.organization, "race-director")
    form = reverse("admin:events_entry_change", args=[entry.pk])
    desk = reverse("admin:desk_entry", args=[entry.event_id, entry.pk])
    for address in (form, f"{desk}?stage={stage.sort_order}"):
        assert "broken &lt;mirror&gt;" in reader.get(address).content.decode(), address
    logged = AuditEntry.objects.get(table="comments")
    assert (logged.action, logged.organization_id) == ("insert", entry.event.organization_id)


def test_only_officials_of_the_organization_comment(entry: Entry) -> None:
    assert say(member(OrganizationFactory.create(), "race-director"), entry, "x") == 404
    assert say(member(entry.event.organization, "participant"), entry, "x") in (302, 403)
    assert say(member(entry.event.organization, "timekeeper"), entry, "  ") == 302
    assert not Comment.objects.exists()


def test_a_comment_leads_back_and_nowhere_else(entry: Entry) -> None:
    client = member(entry.event.organization, "marshal")
    address = reverse("admin:events_entry_comment", args=[entry.pk])
    for back, ends in (("/admin/who/", "/admin/who/"), ("https://example.org/", "/admin/events/entry/")):
        assert client.post(address, {"text": "x", "next": back}).headers["Location"] == ends


@pytest.mark.parametrize("comments", [1, 300])
def test_comments_cost_one_query(entry: Entry, comments: int) -> None:
    client = member(entry.event.organization, "race-director")
    author = entry.event.organization.memberships.get().user
    Comment.objects.bulk_create(
        Comment(organization=entry.event.organization, author=author, table="entries", row=str(entry.pk), text=f"{n}")
        for n in range(comments)
    )
    address = reverse("admin:events_entry_change", args=[entry.pk])
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    assert sum('"comments"' in one["sql"] for one in asked.captured_queries) == 1
