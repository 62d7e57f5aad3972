"""Many rows in one statement, a column at a time: Django writes every value into the text of the statement, and its
bulk_update each in a branch of a CASE, which takes its time.

For tables that the audit does not follow: nobody tells it here who acts.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import msgspec
import psycopg
from django.db import connection
from django.db.models import Field
from psycopg.types.json import Jsonb

from apps.common.base import Row


def insert_rows(rows: Sequence[Row], once: Sequence[str] = (), renewed: Sequence[str] = ()) -> None:
    """Store new rows of one model. One whose `once` fields are stored already gets its `renewed` fields instead."""
    if not rows:
        return
    fields = cast("list[Field[Any, Any]]", rows[0]._meta.concrete_fields)
    names = [_column(rows[0], field.name) for field in fields]
    values = ", ".join(f"v.{name}::{_type(field)}" for name, field in zip(names, fields, strict=True))
    sql = (
        f"insert into {connection.ops.quote_name(rows[0]._meta.db_table)} ({', '.join(names)}) select {values}"
        f" from unnest({', '.join(['%s::text[]'] * len(fields))}) as v({', '.join(names)})"
    )
    if once:
        new = (f"{column} = excluded.{column}" for column in (_column(rows[0], name) for name in renewed))
        sql += f" on conflict ({', '.join(_column(rows[0], name) for name in once)}) do update set {', '.join(new)}"
    execute(sql, [[_text(field, row) for row in rows] for field in fields])


def update_rows(rows: Sequence[Row], names: Sequence[str]) -> None:
    """Write these fields of rows of one model, all of which are stored already."""
    if not rows:
        return
    fields = [cast("Field[Any, Any]", type(rows[0])._meta.get_field(name)) for name in names]
    table = connection.ops.quote_name(rows[0]._meta.db_table)
    columns = [_column(rows[0], name) for name in names]
    types = ", ".join(f"%s::{_type(field)}[]" for field in fields)
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
    """A list of texts, numbers, truths, UUIDs and None as PostgreSQL's text of an array; any other value as it is.

    JSON says such a list in the same words, and is made twenty times faster than psycopg makes an array. Where the
    two differ, in control characters and what is no finite number, it is left to psycopg.
    """
    if not isinstance(value, list) or not (kinds := set(map(type, value))) <= _SAID_ALIKE:
        return value
    if str in kinds and not "".join(value if len(kinds) == 1 else filter(_is_text, value)).isprintable():
        return value
    text = msgspec.json.encode(value)
    if float in kinds and text.count(b"null") != value.count(None):
        return value
    return f"{{{text[1:-1].decode()}}}"


def _is_text(value: object) -> bool:
    return type(value) is str


_SAID_ALIKE = {str, int, float, bool, UUID, type(None)}


def _column(row: Row, name: str) -> str:
    return connection.ops.quote_name(str(cast("Field[Any, Any]", type(row)._meta.get_field(name)).column))


def _type(field: Any) -> str:
    """Without its length: a cast to a length would cut a text that the column refuses."""
    return re.sub(r"\(.*?\)", "", field.db_type(connection))


def _text(field: Any, row: Row) -> Any:
    """A new row's value, said so that PostgreSQL reads it as the column's type."""
    value = _plain(field.get_db_prep_save(field.pre_save(row, add=True), connection))
    if isinstance(value, list):
        return quick(value)
    return value if type(value) in _SAID_ALIKE else str(value)


def _stored(field: Any, row: Row) -> Any:
    return _plain(field.get_db_prep_save(getattr(row, field.attname), connection))


def _plain(value: Any) -> Any:
    return json.dumps(value.obj) if isinstance(value, Jsonb) else value
