"""Times as officials type them under stress: every usual way is understood, nothing else is guessed at."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from apps.common.durations import as_duration
from apps.desk.domain.clock import Typed, nearest, on_day, read, read_duration

TIRANA = ZoneInfo("Europe/Tirane")


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("10:23:45.6", Typed(10, 23, 45, 600)),
        ("102345", Typed(10, 23, 45)),
        ("102345.6", Typed(10, 23, 45, 600)),
        ("102345,25", Typed(10, 23, 45, 250)),
        ("92345", Typed(9, 23, 45)),
        ("1023", Typed(10, 23)),
        ("923", Typed(9, 23)),
        ("10.23", Typed(10, 23)),
        ("10h23", Typed(10, 23)),
        (" 0:00:00 ", Typed(0, 0)),
    ],
)
def test_a_time_is_read_as_it_is_typed(text: str, typed: Typed) -> None:
    assert read(text) == typed


@pytest.mark.parametrize("text", ["", "10", "25:00", "10:60", "10:23:60", "ten", "1023.5", "1234567", "10:23:45.6789"])
def test_what_is_no_time_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        read(text)


def test_a_time_falls_on_the_day_that_brings_it_nearest() -> None:
    """A stage runs over midnight: 23:59 typed at 00:01 was a minute ago, not in a day."""
    now = round(datetime(2026, 6, 8, 0, 1, tzinfo=TIRANA).timestamp() * 1000)
    assert now - nearest(read("23:59"), now, TIRANA) == 120_000
    assert nearest(read("00:02"), now, TIRANA) - now == 60_000


def test_a_time_is_of_the_zone_of_the_event() -> None:
    assert on_day(read("10:00"), date(2026, 6, 8), TIRANA) == datetime(2026, 6, 8, 8, tzinfo=UTC).timestamp() * 1000


@pytest.mark.parametrize(
    ("text", "ms"), [("90", 90_000), ("1:30", 90_000), ("1:02:03.5", 3_723_500), ("0", 0), ("15:00", 900_000)]
)
def test_a_duration_is_read(text: str, ms: int) -> None:
    assert read_duration(text) == ms


def test_a_duration_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="duration"):
        read_duration("a while")


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0:00:00"), (3_723_500, "1:02:03.5"), (-1000, "-0:00:01"), (36_000_001, "10:00:00.001")]
)
def test_a_duration_is_shown(ms: int, text: str) -> None:
    assert as_duration(ms) == text
