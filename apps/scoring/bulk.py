"""Many rows in one statement: Django's own bulk_update says every value in a branch of a CASE, which takes its time."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import psycopg
from django.db import connection
from django.db.models import Field

from apps.common.base import Row


def update_rows(rows: Sequence[Row], names: Sequence[str]) -> None:
    """Write these fields of rows of one model, all of which are stored already."""
    if not rows:
        return
    fields = [cast("Field[Any, Any]", type(rows[0])._meta.get_field(name)) for name in names]
    table = connection.ops.quote_name(rows[0]._meta.db_table)
    columns = [connection.ops.quote_name(str(field.column)) for field in fields]
    types = ", ".join(f"%s::{field.db_type(connection)}[]" for field in fields)
    execute(
        f"update {table} as t set {', '.join(f'{column} = v.{column}' for column in columns)}"
        f" from unnest(%s::uuid[], {types}) as v(id, {', '.join(columns)}) where t.id = v.id",
        [[row.pk for row in rows], *([_stored(field, row) for row in rows] for field in fields)],
    )


def execute(sql: str, parameters: Sequence[Any]) -> None:
    """Run a statement with its parameters beside it: Django's own cursor writes them into the text, value by value."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, [quick(value) for value in parameters])


def select(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement, long lists going and values coming in binary: what live scoring asks each time."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(sql, [quick(value) for value in parameters], binary=True).fetchall()


def quick(value: Any) -> Any:
    """A list of texts, whole numbers or truths as PostgreSQL's text of an array; any other value as it is.

    JSON says such a list in nearly the same words, and is made twenty times faster than psycopg makes an array. What
    it would have to escape is left to psycopg.
    """
    if not isinstance(value, list) or not value or type(value[0]) not in (str, int, bool):
        return value
    text = msgspec.json.encode(value)
    return value if b"\\" in text else f"{{{text[1:-1].decode()}}}"


def _stored(field: Any, row: Row) -> Any:
    return field.get_db_prep_save(getattr(row, field.attname), connection)
