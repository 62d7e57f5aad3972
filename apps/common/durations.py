"""Durations as people read them."""


def as_duration(ms: int) -> str:
    """H:MM:SS, with tenths or milliseconds where there are any."""
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    rest = f".{ms % 1000:03d}".rstrip("0") if ms % 1000 else ""
    return f"{sign}{ms // 3_600_000}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{rest}"
