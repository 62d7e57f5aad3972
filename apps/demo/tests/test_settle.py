"""Before the demo takes its rows away, what is in the streams is worked off, never thrown away."""

import pytest
from django.db import connection
from redis import Redis

from apps.common import stream
from apps.common.position import Position
from apps.demo.settle import settle

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_fixes_of_others_are_stored_and_stay_in_the_stream(redis: Redis) -> None:
    """Protects evidence: the demo may be started on a server where other trackers send."""
    fixes = [Position("356307042441013", 1_780_000_000_000 + n, 41.3, 19.8, satellites=9) for n in range(2500)]
    stream.send(redis, "telemetry:t", fixes)
    settle(redis)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from positions")
        assert cursor.fetchone() == (2500,)
    assert redis.xlen("telemetry:t") == 2500


def test_nothing_is_left_to_do_even_of_what_a_dead_consumer_took(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.demo.settle.CLAIM_AFTER_MS", 0)
    dead = stream.Group(redis, "telemetry:t", stream.PROCESSOR_GROUP, "dead")
    dead.ensure()
    stream.send(redis, "telemetry:t", [Position("356307042441013", 1_780_000_000_000, 41.3, 19.8, satellites=9)])
    assert len(dead.read(10, 1)) == 1
    settle(redis)
    scorers = stream.Group(redis, stream.REQUESTS_STREAM, stream.SCORER_GROUP, "scorer-1")
    assert (dead.lag(), scorers.lag()) == (0, 0)
