"""Why: asked on every page of the admin that writes, and kept with each change it makes."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import AuditEntry
from apps.events.factories import EntryCrewFactory, EntryFactory, RaceClassFactory
from apps.events.models import Entry, RaceClass
from tests.forms import sent

pytestmark = pytest.mark.django_db
WHY = {"change_reason": "Letter of 3 June"}


@pytest.fixture
def office() -> Client:
    client = Client()
    user = User.objects.create_superuser("office@example.org", "x")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def kept(row: Any) -> list[tuple[str, str]]:
    """What was done to a row at the end, and why: newest first."""
    return list(AuditEntry.objects.filter(row_id=str(row.pk)).order_by("-id").values_list("action", "reason")[:1])


def test_an_edit_in_a_list_says_why(office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin.site._registry[RaceClass], "list_editable", ("sort_order",))
    monkeypatch.setattr(admin.site._registry[RaceClass], "list_display", ("code", "sort_order"))
    row = RaceClassFactory(sort_order=10)
    address = reverse("admin:events_raceclass_changelist")
    shown = sent(office.get(address))
    assert "change_reason" in shown
    assert office.post(address, shown | {"form-0-sort_order": "20", "_save": "Save"} | WHY).status_code == 302
    row.refresh_from_db()
    assert (row.sort_order, kept(row)) == (20, [("update", "Letter of 3 June")])


def test_rows_deleted_from_a_list_say_why(office: Client) -> None:
    rows = [RaceClassFactory() for _ in range(2)]
    address = reverse("admin:events_raceclass_changelist")
    chosen = {"action": "delete_selected", "_selected_action": [str(row.pk) for row in rows]}
    asked = office.post(address, chosen | WHY)
    page = asked.content.decode()
    assert 'name="change_reason"' in page and "Letter of 3 June" in page  # what was typed at the list is taken along
    assert office.post(address, chosen | {"post": "yes"} | WHY).status_code == 302
    assert [kept(row) for row in rows] == [[("delete", "Letter of 3 June")]] * 2


def test_a_row_deleted_on_its_page_says_why_with_all_that_goes_along(office: Client) -> None:
    entry = EntryFactory()
    link = EntryCrewFactory(entry=entry)
    address = reverse("admin:events_entry_delete", args=[entry.pk])
    assert 'name="change_reason"' in office.get(address).content.decode()
    assert office.post(address, {"post": "yes"} | WHY).status_code == 302
    assert kept(entry) == kept(link) == [("delete", "Letter of 3 June")]


def test_where_a_reason_is_needed_nothing_is_deleted_without(office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin.site._registry[Entry], "reason_required", True)
    entry = EntryFactory()
    address = reverse("admin:events_entry_delete", args=[entry.pk])
    assert office.post(address, {"post": "yes", "change_reason": " "}).status_code == 302
    listed = {"action": "delete_selected", "_selected_action": [str(entry.pk)], "post": "yes"}
    said = office.post(reverse("admin:events_entry_changelist"), listed, follow=True).content.decode()
    assert "Say why" in said
    assert Entry.objects.filter(pk=entry.pk).exists()
    assert office.post(address, {"post": "yes"} | WHY).status_code == 302
    assert not Entry.objects.filter(pk=entry.pk).exists()


def test_a_list_that_cannot_be_written_asks_nothing(office: Client) -> None:
    assert 'name="change_reason"' not in office.get(reverse("admin:audit_auditentry_changelist")).content.decode()
