"""Tasks that do what none of ours should, for the workers of test_time_limits.py."""

import os
import signal
import time

from celery import shared_task
from django.conf import settings
from django.db import transaction
from redis import Redis

from apps.scoring.models import StageResult


@shared_task
def deaf() -> None:
    """Writes, and hears no soft limit, like a computation that does not come back from C."""
    _count("deaf")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    with transaction.atomic():
        StageResult.objects.update(inputs_hash="f" * 64)
        time.sleep(60)


@shared_task
def deadly() -> None:
    """Dies of SIGKILL each time, like a task that takes all memory."""
    _count("deadly")
    os.kill(os.getpid(), signal.SIGKILL)


def _count(name: str) -> None:
    with Redis.from_url(settings.REDIS_URL) as client:
        client.incr(f"test:{name}")
