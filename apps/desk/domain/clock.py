"""Times of day as officials type them, and durations as they read them."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
WITH_COLONS = re.compile(r"(\d{1,2})[:.h ](\d{1,2})(?:[:. ](\d{1,2})(?:[.,](\d{1,3}))?)?")
DIGITS = re.compile(r"(\d{3,6})(?:[.,](\d{1,3}))?")


@dataclass(frozen=True, slots=True)
class Typed:
    """A time of day: hours, minutes, seconds, milliseconds."""

    hour: int
    minute: int
    second: int = 0
    ms: int = 0


def read(text: str) -> Typed:
    """A time of day as typed: 10:23:45.6, 10.23, 102345, 1023, 102345.6. Raises ValueError with the reason."""
    text = text.strip()
    if not text:
        raise ValueError("type a time")
    typed = _with_colons(text) or _digits(text)
    if typed is None:
        raise ValueError(f"{text!r} is no time: type 10:23:45.6 or 102345")
    if typed.hour > 23 or typed.minute > 59 or typed.second > 59:
        raise ValueError(f"{text!r} is no time of day")
    return typed


def on_day(typed: Typed, day: date, zone: tzinfo) -> int:
    """Epoch ms of a time of day on a date of a zone."""
    at = time(typed.hour, typed.minute, typed.second, typed.ms * 1000)
    return round(datetime.combine(day, at, zone).timestamp() * 1000)


def nearest(typed: Typed, around: int, zone: tzinfo) -> int:
    """Epoch ms of that time of day on the date that brings it nearest to an instant: a stage may run over midnight."""
    day = datetime.fromtimestamp(around / 1000, zone).date()
    return min((on_day(typed, day + n * DAY, zone) for n in (-1, 0, 1)), key=lambda ts: abs(ts - around))


def read_duration(text: str) -> int:
    """Milliseconds of a duration as typed: 90 (seconds), 1:30, 1:02:03.5. Raises ValueError with the reason."""
    found = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+)(?:[.,](\d{1,3}))?", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no duration: type 90 or 1:30 or 1:02:03")
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + _ms(found[4])


def _with_colons(text: str) -> Typed | None:
    found = WITH_COLONS.fullmatch(text)
    if found is None:
        return None
    return Typed(int(found[1]), int(found[2]), int(found[3] or 0), _ms(found[4]))


def _digits(text: str) -> Typed | None:
    """Six digits are HHMMSS, four HHMM; three and five lack the leading zero."""
    found = DIGITS.fullmatch(text)
    if found is None or (found[2] and len(found[1]) < 5):
        return None
    digits = found[1].zfill(4 if len(found[1]) < 5 else 6)
    return Typed(int(digits[:2]), int(digits[2:4]), int(digits[4:] or 0), _ms(found[2]))


def _ms(text: str | None) -> int:
    return int((text or "0").ljust(3, "0"))
