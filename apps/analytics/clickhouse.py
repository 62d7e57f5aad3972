"""ClickHouse by its HTTP interface, as much of it as is needed: statements, and rows as JSONEachRow.

Instants are epoch ms in Int64: DateTime64 is younger than some servers that distributions carry. Rows of the same key
are kept once, by ReplacingMergeTree: in the background, and at once for whoever reads with FINAL.
"""

import base64
import http.client
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import orjson

from apps.analytics.columns import Column
from apps.analytics.files import StoreAwayError
from apps.common.position import EPOCH, MILLISECOND

TYPES = {"text": "String", "int": "Int64", "real": "Float64", "bool": "UInt8", "instant": "Int64"}
TIMEOUT_S = 30
AT_ONCE = 50_000


class ClickHouseError(Exception):
    """The server refused a statement; the message is the server's."""


class ClickHouse:
    """A server: clickhouse://user:password@host:8123/database, or clickhouses:// over TLS. Raises ValueError."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if not parts.hostname:
            raise ValueError("clickhouse://host:port/database is needed")
        self._secure = parts.scheme == "clickhouses"
        self._address = (parts.hostname, parts.port or (8443 if self._secure else 8123))
        self._database = parts.path.strip("/") or "default"
        self._headers = {"Content-Type": "application/octet-stream"}
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()

    def execute(self, statement: str, rows: bytes | None = None) -> str:
        """What the server answers. Raises ClickHouseError, or StoreAwayError when it does not answer."""
        query = {"database": self._database} | ({"query": statement} if rows is not None else {})
        body = statement.encode() if rows is None else rows
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(*self._address, timeout=TIMEOUT_S)
        try:
            connection.request("POST", "/?" + urlencode(query), body, self._headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise StoreAwayError(f"ClickHouse: {error}") from error
        finally:
            connection.close()
        if answer.status == 503:
            raise StoreAwayError(f"ClickHouse: {text[:300]}")
        if answer.status != 200:
            raise ClickHouseError(f"{answer.status}: {text[:500].strip()}")
        return text

    def create(self, table: str, of: Sequence[Column], order: Sequence[str]) -> None:
        """Make a table unless it is there: a partition a month, one row for each key."""
        fields = ", ".join(f"`{c.name}` {TYPES[c.type]}" for c in of)
        month = "toYYYYMM(toDate(intDiv(ts, 1000)))"
        self.execute(
            f"CREATE TABLE IF NOT EXISTS `{table}` ({fields})"
            f" ENGINE = ReplacingMergeTree PARTITION BY {month} ORDER BY ({', '.join(order)})"
        )

    def insert(self, table: str, of: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
        names = [column.name for column in of]
        statement = f"INSERT INTO `{table}` ({', '.join(names)}) FORMAT JSONEachRow"
        for first in range(0, len(rows), AT_ONCE):
            some = rows[first : first + AT_ONCE]
            lines = (orjson.dumps(dict(zip(names, map(_value, row), strict=True))) for row in some)
            self.execute(statement, b"\n".join(lines))


def _value(value: Any) -> Any:
    return (value - EPOCH) // MILLISECOND if isinstance(value, datetime) else value
