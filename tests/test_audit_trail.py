"""Every change of a business row leaves its line: old, new, who, when, why, by which door."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.utils import DatabaseError

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.audit.models import AuditEntry
from apps.common.audit import acting, announce, because, process_acts
from apps.course.factories import WaypointFactory
from apps.course.models import Waypoint
from apps.events.factories import EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, EntryCrew, Event, RaceClass

pytestmark = pytest.mark.django_db


def run(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)


def last(table: str, row_id: Any) -> AuditEntry:
    return AuditEntry.objects.filter(table=table, row_id=str(row_id)).latest("id")


def became(line: AuditEntry) -> dict[str, Any]:
    return dict(line.new or {})


def lines(table: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(table=table).order_by("id"))


def test_a_save_logs_what_changed_and_nothing_else() -> None:
    event = EventFactory(name="Rally")
    made = last("events", event.id)
    assert (made.action, made.old, became(made)["name"]) == ("insert", None, "Rally")
    event.name = "Rally Albania"
    event.save()
    changed = last("events", event.id)
    assert (changed.action, changed.old, changed.new) == ("update", {"name": "Rally"}, {"name": "Rally Albania"})
    assert changed.at >= made.at
    assert changed.transaction_id == made.transaction_id


def test_a_save_that_changes_nothing_leaves_no_line() -> None:
    event = EventFactory()
    before = len(lines("events"))
    event.save()
    assert len(lines("events")) == before


def test_a_delete_keeps_the_whole_row() -> None:
    race_class = RaceClassFactory(code="M-1")
    key = race_class.id
    race_class.delete()
    gone = last("classes", key)
    assert (gone.action, dict(gone.old or {}).get("code"), gone.new) == ("delete", "M-1", None)


def test_bulk_writes_log_each_row() -> None:
    event = EventFactory()
    rows = RaceClass.objects.bulk_create([RaceClass(event=event, code=c, name=c) for c in ("A", "B", "C")])
    assert [became(line)["code"] for line in lines("classes")] == ["A", "B", "C"]
    for row in rows:
        row.name = f"class {row.code}"
    RaceClass.objects.bulk_update(rows, ["name"])
    assert [line.new for line in lines("classes")[3:]] == [{"name": f"class {c}"} for c in "ABC"]
    RaceClass.objects.filter(event=event).update(sort_order=7)
    assert [line.new for line in lines("classes")[6:]] == [{"sort_order": 7}] * 3
    RaceClass.objects.filter(event=event).delete()
    assert [line.action for line in lines("classes")[9:]] == ["delete"] * 3


def test_raw_sql_is_logged_by_its_login_role() -> None:
    event = EventFactory()
    with connection.connection.cursor() as cursor:  # psycopg's own: nobody says who acts
        cursor.execute("SET LOCAL trm.actor TO ''")
        cursor.execute("UPDATE events SET notes = 'by hand' WHERE id = %s", [event.id])
        cursor.execute("SELECT session_user")
        role = cursor.fetchone()[0]
    line = last("events", event.id)
    assert (line.door, line.who, line.user_id, line.new) == ("sql", role, None, {"notes": "by hand"})


def test_who_door_and_reason_go_with_every_kind_of_write() -> None:
    user = UserFactory(email="arta@example.org")
    entry = EntryFactory()
    with acting("rest", user, reason="jury 100% sure, it's 'so' \\ ok"):
        Entry.objects.filter(pk=entry.pk).update(team="A")
        run("UPDATE entries SET team = 'B%%' WHERE id = %s", entry.pk)
        run(f"/* by hand */ UPDATE entries SET team = 'C%' WHERE id = '{entry.pk}'")
        run(f"WITH x AS (UPDATE entries SET team = 'D' WHERE id = '{entry.pk}' RETURNING 1) SELECT * FROM x")
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE entries SET team = %s WHERE id = %s", [("E", entry.pk), ("F", entry.pk)])
    found = lines("entries")[1:]
    assert [became(line)["team"] for line in found] == ["A", "B%", "C%", "D", "E", "F"]
    said = {(line.door, line.user_id, line.who, line.reason) for line in found}
    assert said == {("rest", user.pk, "arta@example.org", "jury 100% sure, it's 'so' \\ ok")}


def test_results_of_a_write_are_those_of_the_write() -> None:
    """The setting travels in front of the statement: its result must not be taken for the statement's."""
    entry = EntryFactory()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE entries SET team = 'X' WHERE id = %s RETURNING team", [entry.pk])
        assert (cursor.rowcount, cursor.fetchall()) == (1, [("X",)])
        cursor.execute("UPDATE entries SET team = 'X' WHERE race_number = -1")
        assert cursor.rowcount == 0
    assert Entry.objects.filter(pk=entry.pk).update(team="Y") == 1


def test_outside_of_acting_nobody_is_named_even_in_the_same_transaction() -> None:
    """A stale name would sign somebody else's act."""
    event = EventFactory()
    with acting("rest", UserFactory()):
        Event.objects.update(notes="1")
    Event.objects.update(notes="2")
    line = last("events", event.id)
    assert (line.door, line.user_id) == ("sql", None)


def test_a_rolled_back_savepoint_keeps_who_acts() -> None:
    event, user = EventFactory(), UserFactory()
    with acting("admin", user):
        with pytest.raises(DatabaseError), transaction.atomic():
            Event.objects.update(notes="1")
            run("SELECT 1/0")
        Event.objects.update(notes="2")
    assert [(became(line).get("notes"), line.user_id) for line in lines("events")][1:] == [("2", user.pk)]
    assert event.pk


def test_acts_nest_and_a_reason_may_be_added() -> None:
    event, user = EventFactory(), UserFactory()
    with acting("admin", user), because("jury 7"):
        Event.objects.update(notes="1")
        with acting("scorer", who="scorer-1"):
            Event.objects.update(notes="2")
        Event.objects.update(notes="3")
    said = [(line.door, line.who, line.reason) for line in lines("events")[1:]]
    assert said == [("admin", user.email, "jury 7"), ("scorer", "scorer-1", ""), ("admin", user.email, "jury 7")]
    assert event.pk


def test_a_process_acts_by_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.common.audit._process", [])
    process_acts("import_course", "arta")
    line = last("events", EventFactory().id)
    assert (line.door, line.who, line.user_id) == ("import_course", "arta", None)


def test_what_json_refuses_does_not_stop_a_write() -> None:
    """A client could send a NUL or half a surrogate as its reason and keep officials from writing."""
    with acting("rest", reason="a\x00b\ud800"):
        assert last("events", EventFactory().id).reason == "ab?"


def test_cursors_that_are_not_djangos_are_told_by_announce() -> None:
    event, user = EventFactory(), UserFactory()
    with acting("import", user):
        announce()
        connection.connection.execute("UPDATE events SET notes = 'copy' WHERE id = %s", [event.id])
    assert last("events", event.id).user_id == user.pk


def test_the_reason_a_row_carries_is_the_lines() -> None:
    from apps.timing.factories import TimingRecordFactory

    record = TimingRecordFactory(reason="clock was wrong")
    assert last("timing_records", record.id).reason == "clock was wrong"


def test_many_to_many_rows_are_logged() -> None:
    user, group = UserFactory(), Group.objects.create(name="officials")
    user.groups.add(group)
    assert became(last("auth_group", group.pk))["name"] == "officials"
    link = lines("users_groups")[-1]
    assert (link.action, became(link)["user_id"], became(link)["group_id"]) == ("insert", str(user.pk), group.pk)
    user.groups.clear()
    assert lines("users_groups")[-1].action == "delete"


def test_a_cascade_logs_every_row_it_takes() -> None:
    entry = EntryFactory()
    EntryCrew.objects.create(entry=entry, user=UserFactory(), role="pilot")
    key = entry.pk
    entry.delete()
    assert [line.table for line in AuditEntry.objects.filter(entry_id=key, action="delete").order_by("id")] == [
        "entry_crew",
        "entries",
    ]


def test_truncate_logs_every_row_it_takes() -> None:
    waypoint = WaypointFactory()
    run("SET CONSTRAINTS ALL IMMEDIATE")
    run("TRUNCATE waypoints CASCADE")
    assert last("waypoints", waypoint.pk).action == "delete"
    assert not Waypoint.objects.exists()


def test_a_line_knows_entry_event_and_organization() -> None:
    entry = EntryFactory()
    crew = EntryCrew.objects.create(entry=entry, user=UserFactory(), role="pilot")
    waypoint = WaypointFactory()
    event = waypoint.segment.stage.event
    for table, row, expected in (
        ("entry_crew", crew, (entry.id, entry.event_id, entry.event.organization_id)),
        ("entries", entry, (entry.id, entry.event_id, entry.event.organization_id)),
        ("events", entry.event, (None, entry.event_id, entry.event.organization_id)),
        ("organizations", event.organization, (None, None, event.organization_id)),
        ("waypoints", waypoint, (None, event.id, event.organization_id)),
    ):
        line = last(table, row.pk)
        assert (line.entry_id, line.event_id, line.organization_id) == expected, table


def test_secrets_are_not_kept_but_their_change_is() -> None:
    user = UserFactory()
    user.set_password("another")
    user.save()
    line = last("users", user.pk)
    assert (line.old, line.new) == ({"password": "(not kept)"}, {"password": "(not kept)"})
    assert "pbkdf2" not in str([(x.old, x.new) for x in lines("users")])


def test_signing_in_is_no_change_of_a_person() -> None:
    user = UserFactory()
    before = len(lines("users"))
    User.objects.update(last_login="2026-06-06T08:00:00Z")
    assert len(lines("users")) == before
    assert user.pk
