"""Two officials edit the same row: the second sees the conflict and loses nothing."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import AuditEntry
from apps.events.factories import EntryCrewFactory, EntryFactory, RaceClassFactory
from apps.events.models import Entry, Event
from tests.forms import Sent, sent

pytestmark = pytest.mark.django_db
LIST = reverse("admin:events_entry_changelist")


@pytest.fixture
def entry() -> Entry:
    row: Entry = EntryFactory(team="Old", race_number=1)
    return row


@pytest.fixture
def clients(db: None) -> Iterator[tuple[Client, Client]]:
    both = Client(), Client()
    for name, client in zip(("first", "second"), both, strict=True):
        client.force_login(
            User.objects.create_superuser(f"{name}@example.org", "x"),
            backend="django.contrib.auth.backends.ModelBackend",
        )
    yield both


def page(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def text(answer: Any) -> str:
    """What a reader sees of it."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def save(client: Client, row: Any, shown: Sent, **values: Any) -> Any:
    return client.post(page(row), shown | values)


def test_the_second_is_told_and_keeps_what_was_typed(clients: tuple[Client, Client], entry: Entry) -> None:
    first, second = clients
    seen = sent(second.get(page(entry)))
    assert save(first, entry, sent(first.get(page(entry))), team="First").status_code == 302
    answer = save(second, entry, seen, team="Second")
    assert answer.status_code == 200
    entry.refresh_from_db()
    assert entry.team == "First"
    said = text(answer)
    assert "Somebody else saved this meanwhile (first@example.org, " in said
    assert "The other changed “Old” to “First”. Below is what you typed." in said
    again = sent(answer)
    assert again["team"] == ["Second"]
    assert save(second, entry, again).status_code == 302
    entry.refresh_from_db()
    assert entry.team == "Second"


def test_what_the_second_left_alone_follows_the_first(clients: tuple[Client, Client], entry: Entry) -> None:
    first, second = clients
    other = RaceClassFactory(event=entry.event, code="M9", name="Nine")
    seen = sent(second.get(page(entry)))
    changed = {"race_class": str(other.pk), "race_number": "77", "competing": []}
    assert save(first, entry, sent(first.get(page(entry))), **changed).status_code == 302
    answer = save(second, entry, seen, team="Second")
    assert "to “M9 Nine”, taken over below" in text(answer)
    again = sent(answer)
    assert (again["race_class"], again["race_number"], again["team"]) == ([str(other.pk)], ["77"], ["Second"])
    assert "competing" not in again
    assert save(second, entry, again).status_code == 302
    entry.refresh_from_db()
    assert (entry.race_class, entry.race_number, entry.competing, entry.team) == (other, 77, False, "Second")


def test_a_third_save_between_is_a_new_conflict(clients: tuple[Client, Client], entry: Entry) -> None:
    first, second = clients
    seen = sent(second.get(page(entry)))
    Entry.objects.update(team="Another")
    again = sent(save(second, entry, seen, team="Mine"))
    Entry.objects.update(team="Yet another")
    assert "“Another” to “Yet another”" in text(save(second, entry, again))
    assert first


def test_whoever_changes_nothing_overwrites_nothing(clients: tuple[Client, Client], entry: Entry) -> None:
    _first, second = clients
    seen = sent(second.get(page(entry)))
    Entry.objects.update(team="First")
    assert save(second, entry, seen).status_code == 302
    entry.refresh_from_db()
    assert entry.team == "First"


def test_the_same_change_twice_is_no_conflict(clients: tuple[Client, Client], entry: Entry) -> None:
    _first, second = clients
    seen = sent(second.get(page(entry)))
    Entry.objects.update(team="Same")
    assert save(second, entry, seen, team="Same").status_code == 302


def test_a_save_of_what_nobody_else_edits_is_no_conflict(clients: tuple[Client, Client], entry: Entry) -> None:
    """Instants with microseconds, arrays and empty values come back from a form otherwise than they went out."""
    _first, second = clients
    event = entry.event
    for name in ("one", "two"):
        assert save(second, event, sent(second.get(page(event))), notes=name).status_code == 302
    assert Event.objects.get(pk=event.pk).notes == "two"


def test_instants_and_lists_are_taken_over_too(clients: tuple[Client, Client], entry: Entry) -> None:
    _first, second = clients
    event = entry.event
    seen = sent(second.get(page(event)))
    later = event.ends_at.replace(microsecond=0, hour=23, minute=11, second=7)
    Event.objects.update(ends_at=later, source_priority=["gps", "card"], discipline="hike")
    answer = save(second, event, seen, notes="mine")
    assert "taken over below" in text(answer)
    assert save(second, event, sent(answer)).status_code == 302
    event.refresh_from_db()
    assert (event.ends_at, event.source_priority, event.discipline) == (later, ["gps", "card"], "hike")
    assert event.notes == "mine"


def test_rows_below_a_row_are_looked_after_too(clients: tuple[Client, Client]) -> None:
    _first, second = clients
    link = EntryCrewFactory(role="pilot")
    seen = sent(second.get(page(link.entry)))
    type(link).objects.update(role="mechanic")
    answer = save(second, link.entry, seen, **{"crew_links-0-role": "navigator"})
    assert "The other changed “pilot” to “mechanic”" in text(answer)
    assert '<input type="hidden" name="crew_links-0-entry"' in answer.content.decode()  # no choice of another entry
    again = sent(answer)
    assert again["crew_links-0-role"] == ["navigator"]
    assert save(second, link.entry, again).status_code == 302
    link.refresh_from_db()
    assert link.role == "navigator"


def test_a_list_edited_by_two(clients: tuple[Client, Client], entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conflict on the row that was changed; the others, left alone, follow who changed them."""
    _first, second = clients
    monkeypatch.setattr(admin.site._registry[Entry], "list_editable", ("team", "status"))
    left = EntryFactory(event=entry.event, race_class=entry.race_class, race_number=2, team="Left alone")
    seen = sent(second.get(LIST))
    [mine] = [name for name, value in seen.items() if value == ["Old"]]
    Entry.objects.filter(pk=entry.pk).update(team="First")
    Entry.objects.filter(pk=left.pk).update(team="Changed meanwhile")
    answer = second.post(LIST, seen | {mine: "Second", "_save": "Save"})
    assert "The other changed “Old” to “First”" in text(answer)
    again = sent(answer)
    assert again[mine] == ["Second"]
    assert second.post(LIST, again | {"_save": "Save"}).status_code == 302
    assert set(Entry.objects.values_list("team", flat=True)) == {"Second", "Changed meanwhile"}


def test_why_is_kept_with_the_change(clients: tuple[Client, Client], entry: Entry) -> None:
    first, _second = clients
    save(first, entry, sent(first.get(page(entry))), team="New", change_reason="Letter of 3 June")
    line = AuditEntry.objects.filter(table="entries").latest("id")
    assert (line.reason, line.door, line.who) == ("Letter of 3 June", "admin", "first@example.org")


def test_why_can_be_asked_for(clients: tuple[Client, Client], entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _second = clients
    monkeypatch.setattr(admin.site._registry[Entry], "reason_required", True)
    shown = sent(first.get(page(entry)))
    assert save(first, entry, shown, team="New").status_code == 200
    assert save(first, entry, shown, team="New", change_reason="jury").status_code == 302


@pytest.mark.parametrize("lie", ["", "{", "[]", '{"team": {"a": 1}}', '{"race_class": "x", "competing": 7}'])
def test_a_form_that_lies_about_what_it_saw_breaks_nothing(
    clients: tuple[Client, Client], entry: Entry, lie: str
) -> None:
    first, _second = clients
    shown = sent(first.get(page(entry))) | {"race_class": [""]}
    assert save(first, entry, shown, row_seen=lie).status_code == 200
