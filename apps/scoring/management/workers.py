"""Work spread over the Celery workers of the queue bulk, for commands that wait for it."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from celery import current_app
from django.core.management.base import CommandError


def spread(task: str, calls: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    """Give the calls of a task to the workers; what those that are done returned, again and again until all are.

    Raises CommandError when no worker answers, or when a call failed.
    """
    if not current_app.control.ping(timeout=1.0):
        raise CommandError("no worker answers: start one (celery -A trm worker -Q bulk), or leave out --workers")
    waiting = [current_app.send_task(task, list(call)) for call in calls]
    while not all(result.ready() for result in waiting):
        yield [result.result for result in waiting if result.successful()]
        time.sleep(0.2)
    failed = [result.result for result in waiting if result.failed()]
    if failed:
        raise CommandError(f"{len(failed)} of {len(calls)} parts failed; the first: {failed[0]}")
    yield [result.result for result in waiting]
