"""Rows by the name of their table, as JSON and back: exact for every type of column.

Names of tables and columns come from models, never from a request.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection
from psycopg import sql

# The row as it is now, locked until the end of the transaction.
LOCKED = "select to_jsonb(t) from {table} t where t.id = ({key}).id for update"
# Some columns as they were.
PUT_BACK = "update {table} t set ({columns}) = (select {columns} from {record} r) where t.id = ({key}).id"
# A whole row as it was.
INSERT = "insert into {table} ({columns}) select {columns} from {record} r"
RECORD = "jsonb_populate_record(null::{table}, {value}::jsonb)"


def locked(table: str, row_id: str) -> dict[str, Any] | None:
    """The row as the audit writes it, None when it is gone. Raises TransactionManagementError outside of one."""
    with connection.cursor() as cursor:
        cursor.execute(_composed(LOCKED, table, {"id": row_id}, {}))
        found = cursor.fetchone()
    return None if found is None else _loaded(found[0])


def put_back(table: str, row_id: str, values: Mapping[str, Any]) -> None:
    """Set columns of a row to values as the audit wrote them."""
    _execute(_composed(PUT_BACK, table, {"id": row_id}, values))


def insert(table: str, values: Mapping[str, Any]) -> None:
    """Make a row of values as the audit wrote them, its key among them."""
    _execute(_composed(INSERT, table, {}, values))


def _composed(query: str, table: str, key: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    name = sql.Identifier(table)
    parts = {
        "table": name,
        "key": sql.SQL(RECORD).format(table=name, value=sql.Literal(json.dumps(key))),
        "record": sql.SQL(RECORD).format(table=name, value=sql.Literal(json.dumps(values))),
        "columns": sql.SQL(", ").join(map(sql.Identifier, values)),
    }
    connection.ensure_connection()
    return sql.SQL(query).format(**parts).as_string(connection.connection)


def _execute(query: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query)


def _loaded(row: Any) -> dict[str, Any]:
    """Django leaves jsonb as text in its own cursors."""
    loaded: dict[str, Any] = json.loads(row) if isinstance(row, str) else row
    return loaded
