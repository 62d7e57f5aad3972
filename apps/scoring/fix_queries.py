"""Reading fixes from PostgreSQL into columns, without a Python object a row.

The server puts each column into one array; its binary form (one dimension: 20 bytes ahead, then a length and a
value each, big-endian) is what numpy reads as it stands. Row by row the same fixes take several times as long.

Fixes that do not count are left out here and in `apps.course.domain.fixes` by the same rule (design §4):
faulty, out of range, at (0, 0), more than 60 s ahead of their reception, or without a satellite.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray

from apps.course.domain.fixes import Fixes
from apps.scoring.bulk import quick
from apps.scoring.queries import Unit

Span = tuple[int, str, int, int]

USABLE = """
    not p.faulty
    and p.latitude between -90 and 90 and p.longitude between -180 and 180
    and not (p.latitude = 0 and p.longitude = 0)
    and p.ts <= p.ingested_at + interval '60 seconds'
    and p.satellites > 0
"""

COLUMNS = "array_agg(f.code), array_agg(f.ts), array_agg(f.latitude), array_agg(f.longitude), array_agg(f.speed)"

# Units as the two queries below need them. No usable fix is later than a minute after it was received: so `high` spares
# looking for the next one in the partitions of days to come.
UNITS = """
    select (n - 1)::int as code, device, to_timestamp(from_ms / 1e3) as from_ts, to_timestamp(to_ms / 1e3) as to_ts,
           to_timestamp(low_ms / 1e3) as low, least(to_timestamp(high_ms / 1e3), now() + interval '1 day') as high
    from unnest(%(device)b::text[], %(from_ts)b::bigint[], %(to_ts)b::bigint[], %(low)b::bigint[], %(high)b::bigint[])
         with ordinality as of(device, from_ms, to_ms, low_ms, high_ms, n)
"""

# The last usable fix before a unit's window and the first after it, within the assignment.
NEIGHBOURS = f"""
    (select p.ts, p.latitude, p.longitude, p.speed from positions p
     where p.device_id = u.device and p.ts < u.from_ts and p.ts >= u.low and {USABLE}
     order by p.ts desc limit 1)
    union all
    (select p.ts, p.latitude, p.longitude, p.speed from positions p
     where p.device_id = u.device and p.ts > u.to_ts and p.ts <= u.high and {USABLE}
     order by p.ts limit 1)
"""

# The usable fixes of each unit with one neighbour on each side. Lateral: the planner must look each unit up by the
# index, as it cannot know how narrow the windows are.
NARROW_FIXES = f"""
    select {COLUMNS} from (
        select u.code, near.* from ({UNITS}) u cross join lateral (
            {NEIGHBOURS}
            union all
            (select p.ts, p.latitude, p.longitude, p.speed from positions p
             where p.device_id = u.device and p.ts between u.from_ts and u.to_ts and {USABLE})
        ) near
    ) f
"""

# The same of wide units: here the planner may read whole partitions, and the outermost instants tell it which.
WIDE_FIXES = f"""
    with u as ({UNITS})
    select {COLUMNS} from (
        select u.code, p.ts, p.latitude, p.longitude, p.speed
        from u join positions p on p.device_id = u.device and p.ts between u.from_ts and u.to_ts and {USABLE}
        where p.ts between to_timestamp(%(first)s / 1e3) and to_timestamp(%(last)s / 1e3)
        union all
        select u.code, near.* from u cross join lateral ({NEIGHBOURS}) near
    ) f
"""

# The usable fixes of devices between two instants. `offset 0` keeps the planner from reading whole partitions for them.
SPAN_FIXES = f"""
    select {COLUMNS} from (
        select s.code, p.*
        from (
            select code, device, to_timestamp(low_ms / 1e3) as low, to_timestamp(high_ms / 1e3) as high
            from unnest(%b::int[], %b::text[], %b::bigint[], %b::bigint[]) as of(code, device, low_ms, high_ms)
        ) s
        cross join lateral (
            select p.ts, p.latitude, p.longitude, p.speed from positions p
            where p.device_id = s.device and p.ts between s.low and s.high and {USABLE} offset 0
        ) p
    ) f
"""

UNIT_COLUMNS = ("device", "from_ts", "to_ts", "low", "high")
MICROSECONDS_2000 = 946_684_800_000_000  # PostgreSQL's own epoch, 2000-01-01


def unit_fixes(of: Sequence[Unit]) -> Fixes:
    """The fixes of all units in columns; the device code of a fix is the index of its unit."""
    if not of:
        return _fixes(None)
    columns: dict[str, Any] = {name: list(map(attrgetter(name), of)) for name in UNIT_COLUMNS}
    if not any(unit.wide for unit in of):
        return _fixes(_columns(NARROW_FIXES, {name: quick(values) for name, values in columns.items()}))
    bounds = {"first": min(columns["from_ts"]), "last": max(columns["to_ts"])}
    return _fixes(_columns(WIDE_FIXES, {name: quick(values) for name, values in columns.items()} | bounds))


def span_fixes(spans: Sequence[Span]) -> Fixes:
    """Fixes of spans (code, device, from ms, to ms)."""
    if not spans:
        return _fixes(None)
    return _fixes(_columns(SPAN_FIXES, [quick(list(column)) for column in zip(*spans, strict=True)]))


# The first and the last instant on record, of whatever device.
EXTENT = """
    select coalesce(floor(extract(epoch from min(ts)) * 1000), 0)::bigint,
           coalesce(ceil(extract(epoch from max(ts)) * 1000), 0)::bigint
    from positions
"""


def extent() -> tuple[int, int]:
    """Epoch ms of the first and the last fix on record; zeros when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(EXTENT)
        first, last = cursor.fetchone()
        return first, last


def _columns(sql: str, parameters: Any) -> list[bytes | None]:
    """The one row of a query, each value as the server sent it in binary."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, parameters, binary=True)
        assert cursor.pgresult is not None
        return [cursor.pgresult.get_value(0, n) for n in range(5)]


def _fixes(columns: Sequence[bytes | None] | None) -> Fixes:
    code, ts, lat, lon, speed = map(_array, columns or [None] * 5, (">i4", ">i8", ">f8", ">f8", ">f4"))
    return Fixes.build(code, (ts + MICROSECONDS_2000) // 1000, lat, lon, speed)


def _array(data: bytes | None, kind: str) -> NDArray[Any]:
    """The elements of an array without nulls in PostgreSQL's binary form."""
    if data is None:
        return np.empty(0, np.dtype(kind).newbyteorder("="))
    elements = np.frombuffer(data, np.dtype([("length", ">i4"), ("value", kind)]), offset=20)
    return elements["value"].astype(np.dtype(kind).newbyteorder("="))
