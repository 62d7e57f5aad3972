"""When a passage control closes, and the longest a special stage may take (rulebook 4.3, worked examples 11, 14)."""

HOUR_MS = 3_600_000


def longest(distance_km: float, v_min_kmh: float = 25) -> int:
    """The time (ms) of a distance at the minimum average speed (Serres: 25 km/h). ValueError if it has none."""
    if v_min_kmh <= 0 or distance_km < 0:
        raise ValueError(f"no time for {distance_km:g} km at {v_min_kmh:g} km/h: speed above 0, distance from 0")
    return round(distance_km / v_min_kmh * HOUR_MS)


def closes(last_start_ts: int, distance_km: float, v_min_kmh: float = 25, margin_ms: int = 0) -> int:
    """When (epoch ms) a control so far into the special stage closes, after the last start (epoch ms)."""
    return last_start_ts + longest(distance_km, v_min_kmh) + margin_ms
