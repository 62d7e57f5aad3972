"""Positions as they were recorded, with those that do not count: for the pages that show evidence, not for scoring."""

from collections.abc import Sequence

from apps.scoring.domain.tracks import TrackFix
from apps.scoring.fix_queries import USABLE, Span
from apps.scoring.queries import select

SPANS = """
    select code, device, to_timestamp(low_ms / 1e3) as low, to_timestamp(high_ms / 1e3) as high
    from unnest(%s::int[], %s::text[], %s::bigint[], %s::bigint[]) as of(code, device, low_ms, high_ms)
"""

# Every position of some spans; `offset 0` as in fix_queries.
TRACK = f"""
    select s.code, (extract(epoch from p.ts) * 1000)::bigint, p.latitude, p.longitude, p.speed, p.usable
    from ({SPANS}) s
    cross join lateral (
        select p.ts, p.latitude, p.longitude, p.speed, ({USABLE}) as usable
        from positions p where p.device_id = s.device and p.ts between s.low and s.high offset 0
    ) p
    order by 1, 2
"""

# The instant of the usable fix nearest to a place, degrees of longitude shortened by its latitude.
NEAREST = f"""
    select (extract(epoch from near.ts) * 1000)::bigint
    from ({SPANS}) s
    cross join lateral (
        select p.ts, power(p.latitude - %s, 2) + power(cos(radians(%s)) * least(
                   abs(p.longitude - %s), 360 - abs(p.longitude - %s)), 2) as far
        from positions p where p.device_id = s.device and p.ts between s.low and s.high and {USABLE}
        order by far, p.ts limit 1
    ) near
    order by near.far, near.ts limit 1
"""


def track(spans: Sequence[Span]) -> list[TrackFix]:
    """The positions of spans (device code, IMEI, from ms, to ms); the code is the fix's device."""
    rows = select(TRACK, _columns(spans)) if spans else []
    return [TrackFix(code, ts, lat, lon, speed, counts=usable) for code, ts, lat, lon, speed, usable in rows]


def nearest(spans: Sequence[Span], lat: float, lon: float) -> int | None:
    """Epoch ms of the fix nearest to a place, in degrees; None where no fix counts."""
    rows = select(NEAREST, [*_columns(spans), lat, lat, lon, lon]) if spans else []
    return int(rows[0][0]) if rows else None


def _columns(spans: Sequence[Span]) -> list[list[object]]:
    return [list(column) for column in zip(*spans, strict=True)]
