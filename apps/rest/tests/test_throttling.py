"""Requests a minute, counted for all processes together."""

import time
from typing import Any

import pytest

from apps.rest import throttling
from apps.rest.throttling import Meter

pytestmark = pytest.mark.usefixtures("redis_url")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What was taken of Redis, share by share."""
    shares: list[int] = []
    take = throttling._take

    def noting(key: str, share: int) -> int:
        shares.append(share)
        return take(key, share)

    monkeypatch.setattr(throttling, "_take", noting)
    monkeypatch.setattr(time, "time", lambda: 1_780_000_000.0)
    return shares


def test_processes_together_let_through_the_limit_and_a_few_less_at_the_most(asked: list[int], redis: Any) -> None:
    first, second = Meter(), Meter()
    let = sum((first if n % 3 else second).allows("a", 250) for n in range(400))
    assert 250 - 2 * 2 <= let <= 250
    assert set(asked) == {2}


def test_redis_is_asked_at_each_hundredth_of_a_limit(asked: list[int], redis: Any) -> None:
    meter = Meter()
    assert all(meter.allows("a", 5000) for _ in range(500))
    assert asked == [50] * 10


def test_a_small_limit_is_exact_and_anothers_is_its_own(asked: list[int], redis: Any) -> None:
    meter = Meter()
    assert [meter.allows("a", 2) for _ in range(4)] == [True, True, False, False]
    assert meter.allows("b", 2)


def test_what_is_left_ends_with_the_minute(asked: list[int], redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter()
    assert meter.allows("a", 5000)
    monkeypatch.setattr(time, "time", lambda: 1_780_000_060.0)
    assert meter.allows("a", 5000)
    assert asked == [50, 50]
