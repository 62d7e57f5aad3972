import pytest

from apps.timing.domain.closing import closing_ms

HOUR = 3_600_000


def test_the_worked_example() -> None:
    """Rulebook, worked example 14: last start 10:30, control at km 40, 25 km/h: closes at 12:06."""
    assert closing_ms(10 * HOUR + HOUR // 2, 40_000) == 12 * HOUR + 6 * 60_000


def test_a_part_of_a_second_is_the_crews() -> None:
    assert closing_ms(0, 1, 25, 5000) == 6000


def test_no_speed_closes_nothing() -> None:
    with pytest.raises(ValueError, match="slowest speed: 0"):
        closing_ms(0, 1000, 0)
