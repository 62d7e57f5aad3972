"""Writing from several processes at once, on the same rows."""

import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from apps.common.position import Position
from apps.telemetry.pipeline import copy_or_write
from apps.telemetry.queries import DAY_MS, write_positions

T0 = 1_780_819_200_000
WRITERS, ROUNDS, ROWS = 2, 8, 3000
pytestmark = pytest.mark.django_db(transaction=True)


Write = Callable[[Iterable[Position], Iterable[None]], int]


def batch(number: int) -> list[Position]:
    """Rows of three days, of which the second has a partition of its own or not."""
    instants = (T0 + n % 3 * DAY_MS + (number * ROWS + n) * 1000 for n in range(ROWS))
    return [Position(f"{n % 50:015d}", ts, 41.0, 20.0) for n, ts in enumerate(instants)]


def write_all(write: Write, seed: int, together: Barrier) -> int:
    """Write every batch in an order of its own; how many rows were new."""
    rng = random.Random(seed)
    try:
        together.wait()
        return sum(write(rng.sample(batch(number), ROWS), [None] * ROWS) for number in range(ROUNDS))
    finally:
        connection.close()


@pytest.mark.parametrize("write", [write_positions, copy_or_write])
def test_writers_of_the_same_rows_never_wait_for_each_other_in_a_circle(write: Write) -> None:
    """Burst uploads reach two processors in two orders; PostgreSQL ended one of them as a deadlock victim."""
    together = Barrier(WRITERS)
    with ThreadPoolExecutor(WRITERS) as pool:
        new = list(pool.map(write_all, [write] * WRITERS, range(WRITERS), [together] * WRITERS))
    assert sum(new) == ROUNDS * ROWS


def test_the_first_of_two_records_of_one_instant_is_stored() -> None:
    rows = [Position("1", T0, 41.0, 20.0, altitude=altitude) for altitude in (1.0, 2.0)]
    assert write_positions(rows) == 1
    with connection.cursor() as cursor:
        cursor.execute("select altitude from positions")
        assert cursor.fetchall() == [(1.0,)]
