"""The SQL of the position browser and of the evidence behind a crossing."""

from dataclasses import dataclass

from apps.scoring.queries import select


@dataclass(frozen=True, slots=True)
class FixRow:
    """A fix as it was recorded; instants in epoch ms, speed in km/h."""

    ts: int
    lat: float
    lon: float
    speed: float
    satellites: int
    faulty: bool
    received_ts: int


# Every fix of a device in a window, whatever its quality; the caller asks for no more than it shows.
FIXES = """
    select (extract(epoch from ts) * 1000)::bigint, latitude, longitude, speed, satellites, faulty,
           (extract(epoch from ingested_at) * 1000)::bigint
    from positions
    where device_id = %s and ts between to_timestamp(%s / 1000.0) and to_timestamp(%s / 1000.0)
    order by ts limit %s
"""


def fixes(device: str, from_ts: int, to_ts: int, limit: int) -> list[FixRow]:
    """At most `limit` fixes of a device (IMEI) in a window, epoch ms, both ends included, by time."""
    return [FixRow(*row) for row in select(FIXES, [device, from_ts, to_ts, limit])]


LAST_FIX = """
    select (extract(epoch from max(ts)) * 1000)::bigint from positions
    where device_id = %s and ts between to_timestamp(%s / 1000.0) and to_timestamp(%s / 1000.0)
"""


def last_fix(device: str, from_ts: int, to_ts: int) -> int | None:
    """When a device sent last within a window (epoch ms); None where it did not."""
    ts = select(LAST_FIX, [device, from_ts, to_ts])[0][0]
    return None if ts is None else int(ts)
