"""The SQL that writes positions: one statement a batch, binary parameters, as often as you like."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec
import psycopg
from django.db import connection

from apps.common.position import Position, instant

# Write a batch; what is there already stays as it is.
WRITE_POSITIONS = """
    insert into positions (device_id, ts, latitude, longitude, altitude, angle, speed,
                           satellites, priority, codec, attributes)
    select device_id, ts, latitude, longitude, altitude, angle, speed, satellites, priority, codec, attributes::jsonb
    from unnest(%b::text[], %b::timestamptz[], %b::float8[], %b::float8[], %b::float4[], %b::float4[], %b::float4[],
                %b::int2[], %b::int2[], %b::text[], %b::text[])
         as p(device_id, ts, latitude, longitude, altitude, angle, speed, satellites, priority, codec, attributes)
    on conflict (device_id, ts) do nothing
"""

_KEY = attrgetter("device_id", "ts")


def check_database() -> None:
    """Raises django.db.OperationalError while PostgreSQL takes no connection."""
    connection.ensure_connection()


def write_positions(positions: Sequence[Position]) -> int:
    """Store a batch in one statement; how many were new.

    Raises psycopg.DataError when a value cannot be stored; then nothing of the batch is.
    """
    connection.ensure_connection()
    # Django's own cursor binds on the client, which knows no binary parameters.
    with psycopg.Cursor(connection.connection) as cursor:
        # In one order everywhere: two processes with the same rows would else wait for each other in a circle.
        cursor.execute(WRITE_POSITIONS, _columns(sorted(positions, key=_KEY)))
        return cursor.rowcount


def _columns(positions: Sequence[Position]) -> list[list[Any]]:
    columns = zip(*(_row(p) for p in positions), strict=True)
    return [list(column) for column in columns]


def _row(p: Position) -> tuple[Any, ...]:
    return (
        p.device_id, instant(p.ts), p.latitude, p.longitude, p.altitude, p.angle, p.speed,
        p.satellites, p.priority, p.codec, msgspec.json.encode(p.attributes).decode(),
    )  # fmt: skip
