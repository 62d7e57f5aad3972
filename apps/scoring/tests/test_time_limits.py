"""A real Celery worker and tasks that overrun or die: nothing is half done, somebody is told, the queue goes on."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from celery import current_app
from celery.exceptions import TimeLimitExceeded, WorkerLostError
from django.core.management import CommandError, call_command
from django.db import transaction
from redis import Redis

from apps.scoring import queries, snapshot
from apps.scoring.models import StageResult
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import race
from apps.scoring.tests.workers import workers

pytestmark = pytest.mark.django_db(transaction=True)
STALE = "0" * 64


@pytest.fixture
def driven(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> rally.Rally:
    monkeypatch.setattr(snapshot, "SETTLED", timedelta(0))  # nobody writes beside the test
    return race(redis, rally.build())


@pytest.fixture
def log(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A worker of `acts` runs, and tasks may take 3 s, 6 s at the most; the file of its log."""
    limited = partial(current_app.send_task, soft_time_limit=3, time_limit=6)
    monkeypatch.setattr(current_app, "send_task", limited)
    file = tmp_path / "worker.log"
    with workers(redis_url, file) as start:
        start("acts", "--include", "apps.scoring.tests.stuck_tasks")
        yield file


def test_a_task_over_its_soft_limit_leaves_nothing_half_done_and_says_so(driven: rally.Rally, log: Path) -> None:
    """It has written results and waits for the event's lock when its time is up."""
    before = rally.readings()
    StageResult.objects.update(inputs_hash=STALE)
    with transaction.atomic():
        queries.lock("event", [str(driven.event.id)])
        with pytest.raises(CommandError, match=r"1 of 1 parts failed; the first: .*longer than a task may"):
            _rescore(driven)
    assert _hashes() == {STALE}
    assert any("Soft time limit (3s) exceeded" in line["event"] for line in _said(log, "warning"))
    assert any("apps.scoring.tasks.rescore" in line["event"] for line in _said(log, "error"))
    _rescore(driven)
    assert rally.readings() == before


def test_a_task_that_hears_no_limit_is_killed_and_ended(driven: rally.Rally, redis: Redis, log: Path) -> None:
    """It is not given out again: what took so long once would do so each time."""
    before = rally.readings()
    stuck = _send("deaf")
    with pytest.raises(TimeLimitExceeded):
        stuck.get(timeout=60)
    assert rally.readings() == before
    assert any("Hard time limit (6s) exceeded" in line["event"] for line in _said(log, "error"))
    StageResult.objects.update(inputs_hash=STALE)
    _rescore(driven)
    assert rally.readings() == before
    assert redis.get("test:deaf") == b"1"
    assert redis.hlen("unacked") == 0


def test_a_task_that_kills_its_worker_is_tried_again_but_not_for_ever(
    driven: rally.Rally, redis: Redis, log: Path
) -> None:
    lost = _send("deadly")
    with pytest.raises(WorkerLostError):
        lost.get(timeout=90)
    assert redis.get("test:deadly") == b"3"
    _rescore(driven)
    assert redis.hlen("unacked") == 0


def _send(name: str) -> Any:
    return current_app.send_task(f"apps.scoring.tests.stuck_tasks.{name}", queue="acts")


def _rescore(driven: rally.Rally) -> None:
    call_command("rescore", driven.event.slug, stage="Stage 1", workers=True, stdout=StringIO(), stderr=StringIO())


def _hashes() -> set[str]:
    return set(StageResult.objects.values_list("inputs_hash", flat=True))


def _said(log: Path, level: str) -> list[dict[str, Any]]:
    """The lines of a level, of which each is one JSON object as of any process of ours."""
    lines = [orjson.loads(line) for line in log.read_bytes().splitlines() if line.startswith(b"{")]
    return [line for line in lines if line["level"] == level]
