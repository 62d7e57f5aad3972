"""No table escapes the audit unnoticed: the list is made from the models."""

import pytest
from django.apps import apps
from django.db import connection

# What may go without, and why. Everything else must have its triggers.
READINGS = {
    # Readings: replaced by every recompute, from evidence and decisions that are on record.
    "entry_crossings", "entry_penalties", "stage_results", "event_results", "event_scoring_states",
    "entry_scoring_states", "outbox",
}  # fmt: skip
BOOKKEEPING = {
    # What has been told to other programs, and what is still to be.
    "domain_events", "webhook_deliveries",
    # Django's own.
    "django_admin_log", "django_content_type", "django_session", "auth_permission",
    # Of the API: a token is like a session, a remembered answer is gone in a day.
    "api_tokens", "idempotency_keys",
    # Of django-axes, which counts in Redis: they stay empty.
    "axes_accessattempt", "axes_accessattemptexpiration", "axes_accessfailurelog", "axes_accesslog",
}  # fmt: skip

TABLES = sorted(model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed)


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
def test_every_business_table_is_audited(table: str) -> None:
    """Fails for a new model: add its table to sql/530_audit.sql, or say here why it needs no audit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass"
            " AND tgname IN ('trm_audit', 'trm_audit_truncate') AND tgenabled = 'O'",
            [table],
        )
        triggers = cursor.fetchone()[0]
    assert triggers == (0 if table in READINGS | BOOKKEEPING else 2)


@pytest.mark.django_db
def test_audited_rows_are_named_by_id() -> None:
    """The log names a row by the column `id`: a table without one would stop every write to it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'trm_audit' AND NOT EXISTS"
            " (SELECT FROM pg_attribute WHERE attrelid = tgrelid AND attname = 'id')"
        )
        assert cursor.fetchall() == []
