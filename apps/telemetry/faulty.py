"""The faulty flag of positions: an official's word on fixes, which stay as they were recorded."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

FLAG = """
    update positions set faulty = true
    where device_id = %s and ts between to_timestamp(%s / 1000.0) and to_timestamp(%s / 1000.0) and not faulty
"""

# Fixes that another window still covers stay flagged.
UNFLAG = """
    update positions p set faulty = false
    where p.device_id = %s and p.ts between to_timestamp(%s / 1000.0) and to_timestamp(%s / 1000.0) and p.faulty
      and not exists (
          select from unnest(%s::bigint[], %s::bigint[]) as w(low, high)
          where p.ts between to_timestamp(w.low / 1000.0) and to_timestamp(w.high / 1000.0)
      )
"""


def flag(device: str, from_ts: int, to_ts: int) -> int:
    """Take the fixes of a device in a window (ms, inclusive) out of all use; how many were."""
    return _execute(FLAG, [device, from_ts, to_ts])


def unflag(device: str, from_ts: int, to_ts: int, keep: Sequence[tuple[int, int]]) -> int:
    """Let them count again, but for those in the windows to `keep`; how many were."""
    lows, highs = [window[0] for window in keep], [window[1] for window in keep]
    return _execute(UNFLAG, [device, from_ts, to_ts, lows, highs])


def _execute(sql: str, parameters: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)
