"""What `pipeline_status` says is what Redis holds."""

import json
import threading
import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings
from redis import Redis

from apps.common import stream
from apps.common.stream import REQUESTS_STREAM, Group
from apps.telemetry.status import pipeline_status
from apps.telemetry.tests.letters import STREAM, many, put_aside, record


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("pipeline_status", "--sample", "0", *arguments, stdout=out)
    return out.getvalue()


def of(name: str, *arguments: str) -> dict[str, Any]:
    [status] = [row for row in json.loads(run("--json", *arguments))["streams"] if row["stream"] == name]
    return dict(status)


def test_what_is_not_there_yet_is_said_and_not_made(redis: Redis) -> None:
    assert run().count("processor: not there yet") == 1 and "scorer: not there yet" in run()
    assert of(STREAM)["exists"] is False and of(REQUESTS_STREAM)["pending"] is None
    redis.xadd(STREAM, record())
    status = of(STREAM)
    assert status["exists"] and not status["group_exists"] and status["length"] == 1
    assert redis.exists(STREAM, REQUESTS_STREAM) == 1 and redis.xinfo_groups(STREAM) == []


def test_lag_pending_consumers_and_letters(redis: Redis) -> None:
    group = Group(redis, STREAM, stream.PROCESSOR_GROUP, "one")
    group.ensure()
    for n in range(5):
        redis.xadd(STREAM, record(n))
    group.read(2, 1)
    time.sleep(0.2)
    status = of(STREAM)
    assert (status["length"], status["unread"], status["pending"], status["dead_letters"]) == (5, 3, 2, 0)
    assert 0.2 <= status["oldest_pending_s"] < 10
    [consumer] = status["consumers"]
    assert consumer["name"] == "one" and consumer["pending"] == 2 and 200 <= consumer["idle_ms"] < 10_000
    table = run()
    assert "one" in table and "scorer: not there yet" in table


def test_every_sharded_stream_stands_there_with_its_letters(redis: Redis, settings: Settings) -> None:
    settings.REDIS_TELEMETRY_STREAM = "t:0, t:1"
    many(redis, 12, origin="t:1")
    put_aside(redis, record(), "odd", origin="t:0")
    rows = json.loads(run("--json"))["streams"]
    found = [(row["stream"], row["group"], row["dead_letters"]) for row in rows]
    assert found == [("t:0", "processor", 1), ("t:1", "processor", 12), (REQUESTS_STREAM, "scorer", 0)]


def test_the_rate_is_what_the_group_was_given_in_between(redis: Redis) -> None:
    group = Group(redis, STREAM, stream.PROCESSOR_GROUP, "one")
    group.ensure()
    for n in range(100):
        redis.xadd(STREAM, record(n))
    group.read(10, 1)
    reader = threading.Timer(0.1, lambda: group.read(50, 1))
    reader.start()
    [status, requests] = pipeline_status(redis, 0.5)
    reader.join()
    assert status.rate is not None and 60 < status.rate <= 100  # 50 in 0.5 s, or a little longer
    assert requests.rate is None


def test_unread_is_unknown_rather_than_wrong(redis: Redis) -> None:
    """Redis cannot tell the lag when an unread entry was deleted."""
    group = Group(redis, STREAM, stream.PROCESSOR_GROUP, "one")
    group.ensure()
    ids = [redis.xadd(STREAM, record(n)) for n in range(3)]
    group.read(1, 1)
    redis.xdel(STREAM, ids[1])
    assert of(STREAM)["unread"] is None and "?" in run()


def test_redis_away_is_said_with_a_code_of_its_own(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(CommandError, match="Redis: ") as caught:
        run()
    assert caught.value.returncode == 2


def test_watch_looks_again_until_interrupted(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("apps.telemetry.management.commands.pipeline_status.time.sleep", nap)
    assert len(run("--json", "--watch", "5").splitlines()) == 3 and naps == [5, 5, 5]


@pytest.mark.parametrize("value", ["soon", "-1", "nan"])
def test_a_wrong_number_of_seconds_is_refused(value: str) -> None:
    with pytest.raises(CommandError, match="watch"):
        run(f"--watch={value}")
