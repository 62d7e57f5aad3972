"""Work spread over Celery's workers, for commands that wait for it."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
from django.core.management.base import CommandError

ACTS, BULK = "acts", "bulk"  # what an official waits for, and what may take its time


def spread(task: str, calls: Sequence[Sequence[Any]], queue: str = BULK) -> Iterator[list[Any]]:
    """Give the calls of a task to the workers of a queue; what those that are done returned, until all are.

    Raises CommandError when no worker answers, or when a call failed.
    """
    served = current_app.control.inspect(timeout=1.0).active_queues() or {}
    if not any(one["name"] == queue for queues in served.values() for one in queues):
        raise CommandError(f"no worker answers: start one (celery -A trm worker -Q {queue}), or leave out --workers")
    waiting = [current_app.send_task(task, list(call), queue=queue) for call in calls]
    while not all(result.ready() for result in waiting):
        yield [result.result for result in waiting if result.successful()]
        time.sleep(0.2)
    failed = [result.result for result in waiting if result.failed()]
    if failed:
        raise CommandError(f"{len(failed)} of {len(calls)} parts failed; the first: {_words(failed[0])}")
    yield [result.result for result in waiting]


def _words(error: object) -> str:
    if isinstance(error, SoftTimeLimitExceeded | TimeLimitExceeded):
        return f"it took longer than a task may ({current_app.conf.task_soft_time_limit} s), and was undone"
    return str(error)
