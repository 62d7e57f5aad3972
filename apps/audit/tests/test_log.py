"""The log itself: append-only, made once, nothing left by a rollback."""

from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.utils import DatabaseError

from apps.accounts.factories import UserFactory
from apps.audit.models import AuditEntry
from apps.common.audit import acting, announce
from apps.common.sql import Phase, apply_sql
from apps.events.factories import EventFactory
from apps.events.models import Event

ROLE = "trm_audit_test_app"


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
@pytest.mark.parametrize("act", ["UPDATE audit_log SET who = ''", "DELETE FROM audit_log", "TRUNCATE audit_log"])
def test_the_owner_cannot_edit_the_log_by_accident(act: str) -> None:
    EventFactory()
    before = AuditEntry.objects.count()
    run("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="audit_log is append-only"), transaction.atomic():
        run(act)
    assert AuditEntry.objects.count() == before


@pytest.mark.django_db
def test_upkeep_is_possible_for_the_owner_as_documented() -> None:
    EventFactory()
    run("ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only")
    run("DELETE FROM audit_log")
    run("ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_append_only")
    assert not AuditEntry.objects.exists()


@pytest.fixture
def application_role(db: None) -> Iterator[None]:
    """A role as in production: everything is granted to it, nothing is its own. Ends with the test's transaction."""
    run("SET CONSTRAINTS ALL IMMEDIATE")
    run(f"CREATE ROLE {ROLE}")
    run(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}")
    run(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
    apply_sql(Phase.AFTER_MIGRATE)
    run("SET search_path TO DEFAULT")
    run(f"SET ROLE {ROLE}")
    yield
    run("RESET ROLE")


@pytest.mark.parametrize(
    "act",
    [
        "INSERT INTO audit_log (table_name, row_id, action, who, door, reason) VALUES ('x', '1', 'delete', '', '', '')",
        "UPDATE audit_log SET who = ''",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only",
        "SELECT trm_audit_write('vehicles', '{\"id\": 1}', NULL)",
        "CREATE TEMP TABLE forged (id int); "
        "CREATE TRIGGER t AFTER INSERT ON forged FOR EACH ROW EXECUTE FUNCTION trm_audit()",
        "ALTER TABLE events DISABLE TRIGGER trm_audit",
    ],
)
def test_the_applications_role_can_neither_edit_nor_forge_the_log(application_role: None, act: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied|must be owner"), transaction.atomic():
        run(act)


def test_the_applications_role_writes_the_log_by_its_acts_and_reads_it(application_role: None) -> None:
    event = EventFactory()
    Event.objects.update(notes="x")
    assert AuditEntry.objects.filter(row_id=str(event.pk)).count() == 2


def test_a_temporary_table_of_the_same_name_does_not_catch_the_lines(application_role: None) -> None:
    """Who can make a temporary table could else turn the audit off for a session."""
    run("CREATE TEMP TABLE audit_log (LIKE public.audit_log)")
    EventFactory()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_temp.audit_log")
        assert cursor.fetchone()[0] == 0
        cursor.execute("DROP TABLE pg_temp.audit_log")


TRIGGERS = """
    SELECT tgrelid::regclass::text, tgname, tgenabled, pg_get_triggerdef(oid) FROM pg_trigger
    WHERE tgname LIKE '%%audit%%' ORDER BY 1, 2
"""
REST = """
    SELECT prosrc, proconfig::text, proacl::text FROM pg_proc WHERE proname LIKE 'trm_audit%%'
    UNION ALL SELECT indexdef, NULL, NULL FROM pg_indexes WHERE tablename = 'audit_log'
    UNION ALL SELECT relacl::text, NULL, NULL FROM pg_class WHERE relname = 'audit_log' ORDER BY 1
"""


def state() -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    with connection.cursor() as cursor:
        for query in (TRIGGERS, REST):
            cursor.execute(query.replace("%%", "%"))
            rows += cursor.fetchall()
    return rows


@pytest.mark.django_db
def test_applying_the_sql_again_changes_nothing_and_keeps_the_log() -> None:
    EventFactory()
    run("SET CONSTRAINTS ALL IMMEDIATE")
    before, lines = state(), AuditEntry.objects.count()
    apply_sql(Phase.AFTER_MIGRATE)
    assert state() == before
    assert AuditEntry.objects.count() == lines


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_nothing_and_no_name_stays_on_the_connection() -> None:
    event, user = EventFactory(), UserFactory()
    lines = AuditEntry.objects.filter(row_id=str(event.pk))
    with pytest.raises(ZeroDivisionError), acting("rest", user), transaction.atomic():
        Event.objects.update(notes="x")
        raise ZeroDivisionError
    assert lines.count() == 1
    with acting("rest", user):
        Event.objects.update(notes="y")  # in autocommit: a transaction of its own
    connection.connection.execute("UPDATE events SET notes = 'z'")  # a cursor nobody tells anything
    assert [(line.door, line.user_id) for line in lines.order_by("id")][1:] == [("rest", user.pk), ("sql", None)]


@pytest.mark.django_db(transaction=True)
def test_many_statements_in_autocommit_are_told_too() -> None:
    event, user = EventFactory(), UserFactory()
    with acting("rest", user), connection.cursor() as cursor:
        cursor.executemany("UPDATE events SET notes = %s", [("1",), ("2",)])
    lines = AuditEntry.objects.filter(row_id=str(event.pk), action="update")
    assert [line.user_id for line in lines] == [user.pk, user.pk]


@pytest.mark.django_db(transaction=True)
def test_announce_wants_a_transaction() -> None:
    with pytest.raises(transaction.TransactionManagementError, match="announce"):
        announce()


@pytest.mark.django_db(transaction=True)
def test_reads_cost_no_statement_and_writes_no_round_trip() -> None:
    """Counted by the server: one message more per write would show as a statement of its own."""
    event = EventFactory()
    sent: list[str] = []
    real = psycopg.ClientCursor.execute

    def counting(self: psycopg.ClientCursor, query: str, *args: object, **kwargs: object) -> object:
        sent.append(query)
        return real(self, query, *args, **kwargs)  # type: ignore[call-overload]

    with pytest.MonkeyPatch.context() as patch, acting("rest", UserFactory()):
        patch.setattr(psycopg.ClientCursor, "execute", counting)
        Event.objects.get(pk=event.pk)
        Event.objects.update(notes="x")
    assert [query.split(" ")[0] for query in sent] == ["SELECT", "SET"]
    assert settings.DATABASES
