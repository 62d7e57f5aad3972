"""The SQL of positions: two ways to write them, binary both, and the latest of each device.

Rows are inserted by day, device and time, whichever way and by whichever process: two processes with the same rows
would else wait for each other in a circle. By day first, because COPY inserts a partition at a time.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any

import msgspec
import psycopg
from django.db import connection, transaction

from apps.common.position import Position, instant

COLUMNS = """
    device_id, ts, latitude, longitude, altitude, angle, speed,
    satellites, priority, codec, attributes, decoded_attributes
"""

# Write rows; what is there already stays as it is.
WRITE_POSITIONS = f"""
    insert into positions ({COLUMNS})
    select device_id, ts, latitude, longitude, altitude, angle, speed, satellites, priority, codec,
           attributes::jsonb, decoded_attributes::jsonb
    from unnest(%b::text[], %b::timestamptz[], %b::float8[], %b::float8[], %b::float4[], %b::float4[], %b::float4[],
                %b::int2[], %b::int2[], %b::text[], %b::text[], %b::text[]) as p({COLUMNS})
    on conflict (device_id, ts) do nothing
"""

# Write rows that are not there yet: twice as fast, but one that is there makes all of them fail.
COPY_POSITIONS = f"copy positions ({COLUMNS}) from stdin (format binary)"
# What the columns look like on the wire: an instant as microseconds from 2000 on, jsonb as a version and its text.
# psycopg packs these types itself, and would turn datetimes and wrapped JSON over in Python.
COPY_TYPES = (
    "text", "int8", "float8", "float8", "float4", "float4", "float4",
    "int2", "int2", "text", "bytea", "bytea",
)  # fmt: skip
EPOCH_2000_MS = 946_684_800_000
JSONB = b"\x01"
SMALLEST_REAL = 2.0**-150  # up to here a column of type real would hold 0

# The latest position of each of some devices.
LAST_POSITIONS = """
    select p.device_id, (extract(epoch from p.ts) * 1000)::bigint, p.latitude, p.longitude, p.altitude, p.angle,
           p.speed, p.satellites, p.priority, p.codec, p.attributes::text
    from unnest(%b::text[]) as device(id)
    cross join lateral (
        select * from positions where device_id = device.id and ts >= %b::timestamptz order by ts desc limit 1
    ) as p
"""
RECENT = timedelta(days=2)
EVER = datetime(1970, 1, 1, tzinfo=UTC)

DAY_MS = 86_400_000
Row = tuple[Position, str | None]


def check_database() -> None:
    """Raises django.db.OperationalError while PostgreSQL takes no connection."""
    connection.ensure_connection()


def write_positions(positions: Iterable[Position], decoded: Iterable[str | None] = repeat(None)) -> int:
    """Store what is not stored yet, in one statement; how many that were. `decoded`: JSON texts of decoded attributes.

    Raises psycopg.DataError when a value cannot be stored; then nothing of the batch is.
    """
    with _cursor() as cursor:
        rows = [_values(*row) for row in _in_order(positions, decoded)]
        cursor.execute(WRITE_POSITIONS, [list(column) for column in zip(*rows, strict=True)])
        return cursor.rowcount


def copy_positions(positions: Iterable[Position], decoded: Iterable[str | None] = repeat(None)) -> int:
    """Store positions of which none is stored yet; how many.

    Raises psycopg.errors.UniqueViolation when one is after all, psycopg.DataError when a value cannot be stored; then
    nothing of the batch is.
    """
    rows = _in_order(positions, decoded)
    with transaction.atomic(), _cursor() as cursor, cursor.copy(COPY_POSITIONS) as target:
        target.set_types(COPY_TYPES)
        for row in rows:
            target.write_row(_packed(*row))
    return len(rows)


def last_positions(devices: Sequence[str]) -> dict[str, Position]:
    """The position of the latest device time of each device that has any.

    Of the latest days first: a device is looked up in every partition that is asked for.
    """
    found = _last_since(datetime.now(UTC) - RECENT, devices)
    unfound = [device for device in devices if device not in found]
    return found | _last_since(EVER, unfound) if unfound else found


def _last_since(since: datetime, devices: Sequence[str]) -> dict[str, Position]:
    with _cursor() as cursor:
        cursor.execute(LAST_POSITIONS, [list(devices), since])
        return {row[0]: _position(row) for row in cursor}


def _cursor() -> "psycopg.Cursor[tuple[Any, ...]]":
    """Django's own cursor binds on the client, which knows no binary parameters."""
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)


def _in_order(positions: Iterable[Position], decoded: Iterable[str | None]) -> list[Row]:
    rows = list(zip(positions, decoded, strict=False))
    # Three stable sorts by one key each: a sort by tuples takes twice as long.
    rows.sort(key=lambda row: row[0].ts)
    rows.sort(key=lambda row: row[0].device_id)
    rows.sort(key=lambda row: row[0].ts // DAY_MS)
    return rows


def _position(row: Sequence[Any]) -> Position:
    fields = [*row[:-1], msgspec.json.decode(row[-1])]
    return Position(*fields)


def _values(p: Position, decoded: str | None) -> tuple[Any, ...]:
    return (
        p.device_id, instant(p.ts), p.latitude, p.longitude, p.altitude, p.angle, p.speed,
        p.satellites, p.priority, p.codec, msgspec.json.encode(p.attributes).decode(), decoded,
    )  # fmt: skip


def _packed(p: Position, decoded: str | None) -> tuple[Any, ...]:
    for value in (p.altitude, p.angle, p.speed):
        if -SMALLEST_REAL <= value <= SMALLEST_REAL and value:
            raise psycopg.DataError(f"{value} is out of range for type real")
    return (
        p.device_id, (p.ts - EPOCH_2000_MS) * 1000, p.latitude, p.longitude, p.altitude, p.angle, p.speed,
        p.satellites, p.priority, p.codec, JSONB + msgspec.json.encode(p.attributes),
        None if decoded is None else JSONB + decoded.encode(),
    )  # fmt: skip
