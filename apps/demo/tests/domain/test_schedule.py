"""The rally's clock: on the wall's when played as it is driven, behind it when played faster, never ahead."""

import pytest

from apps.demo.domain.schedule import clock_for, course_at
from apps.demo.domain.traffic import spread_ms

NOW = 1_795_254_000_123
SPREAD = spread_ms(80)
HOUR = 3_600_000


def test_at_speed_1_the_rally_runs_by_the_wall_clock() -> None:
    clock = clock_for(1, NOW, SPREAD)
    assert [clock.at(NOW), clock.at(NOW + HOUR)] == [NOW, NOW + HOUR]


@pytest.mark.parametrize("speed", [0.5, 1, 1.5, 60, 900])
def test_no_fix_comes_from_the_future(speed: float) -> None:
    """Protects the newcomer from fixes that count nowhere."""
    clock = clock_for(speed, NOW, SPREAD)
    last = course_at(clock, 1, SPREAD)[-1]
    home = last.first_start_ts + SPREAD + 50 * 60_000
    walls = [NOW + int((home - clock.rally) / speed) * n // 10 for n in range(11)]
    assert all(clock.at(wall) <= wall for wall in walls)
    assert abs(clock.at(walls[-1]) - home) < 1000


@pytest.mark.parametrize("speed", [1, 60])
def test_it_opens_in_the_middle_of_the_first_stage(speed: float) -> None:
    clock = clock_for(speed, NOW, SPREAD)
    prologue, first, second = course_at(clock, 1, SPREAD)
    assert prologue.first_start_ts < first.first_start_ts < clock.rally < second.first_start_ts
    assert 20 * 60_000 <= clock.rally - first.first_start_ts < 21 * 60_000
    assert first.starts_ts % 60_000 == 0


def test_all_at_once_has_been_driven_before_now() -> None:
    clock = clock_for(0, NOW, SPREAD)
    last = course_at(clock, 1, SPREAD)[-1]
    assert last.first_start_ts + SPREAD + 50 * 60_000 <= NOW
