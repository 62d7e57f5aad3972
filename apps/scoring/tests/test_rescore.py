"""Rescoring in bulk: here, or spread over Celery's workers, to the same results."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from redis import Redis

from apps.events.models import Event
from apps.scoring import metrics
from apps.scoring.models import StageResult
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import scorer
from apps.scoring.upkeep import keep_up

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker(driven: rally.Rally, redis_url: str) -> Iterator[None]:
    """A Celery worker as a process of its own, on the test's database."""
    name = settings.DATABASES["default"]["NAME"]
    base = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    environment = {**os.environ, "DATABASE_URL": f"{base}/{name}", "REDIS_URL": redis_url}
    command = [sys.executable, "-m", "celery", "-A", "trm", "worker", "-Q", "bulk", "--pool", "solo", "-l", "warning"]
    process = subprocess.Popen(command, env=environment)
    try:
        deadline = time.monotonic() + 30
        while not current_app.control.ping(timeout=0.5) and time.monotonic() < deadline:
            assert process.poll() is None
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def test_here(driven: rally.Rally) -> None:
    before = rally.readings()
    with connection.cursor() as cursor:
        cursor.execute("truncate entry_crossings, entry_penalties, stage_results, event_results")
    out = StringIO()
    call_command("rescore", driven.event.slug, stdout=out, stderr=StringIO())
    assert rally.readings() == before
    assert "5 entries" in out.getvalue()


def test_one_entry_in_one_stage(driven: rally.Rally) -> None:
    StageResult.objects.update(inputs_hash="0" * 64)
    call_command("rescore", driven.event.slug, stage="Stage 1", entry=302, stdout=StringIO(), stderr=StringIO())
    assert StageResult.objects.exclude(inputs_hash="0" * 64).get().entry.race_number == 302


def test_by_workers(driven: rally.Rally, worker: None) -> None:
    before = rally.readings()
    with connection.cursor() as cursor:
        cursor.execute("truncate entry_crossings, entry_penalties, stage_results, event_results")
    call_command("rescore", driven.event.slug, workers=True, stdout=StringIO(), stderr=StringIO())
    assert rally.readings() == before


def test_without_a_worker_it_says_so(driven: rally.Rally) -> None:
    with pytest.raises(CommandError, match="no worker answers"):
        call_command("rescore", driven.event.slug, workers=True, stdout=StringIO(), stderr=StringIO())


def test_a_stale_result_is_said_counted_and_put_right(
    driven: rally.Rally, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scorer looks twice before it cries."""
    monkeypatch.setattr("apps.scoring.worker.WATCH_EVERY_S", 0.0)
    now = timezone.now()  # only events of these weeks are watched
    Event.objects.update(starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1))
    list(keep_up(str(driven.event.id)))
    held = dict(StageResult.objects.values_list("id", "inputs_hash"))
    StageResult.objects.update(inputs_hash="0" * 64)
    watching, before = scorer(redis), metrics.STALE_RESULTS._value.get()
    for _ in range(60):
        watching.step()
        if dict(StageResult.objects.values_list("id", "inputs_hash")) == held:
            break
    assert dict(StageResult.objects.values_list("id", "inputs_hash")) == held
    assert metrics.STALE_RESULTS._value.get() - before >= 5
