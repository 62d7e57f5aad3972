"""Doors for Celery: ids in, one call."""

import time
from dataclasses import asdict
from typing import Any

import structlog
from celery import shared_task
from django.conf import settings

from apps.common import stream
from apps.scoring import queries, revisions, watchdog
from apps.scoring.replay import Tape, run
from apps.scoring.services import Again, score_again

log = structlog.get_logger(__name__)

SECOND_LOOK_S = 5.0


@shared_task
def check_results(size: int) -> list[str]:
    """Recompute a sample of the open events' results; those that are stale, after a second look some seconds later.

    It mends nothing: what differs is a fault, and somebody has to see it.
    """
    stale = list(watchdog.look(watchdog.sample(queries.open_events(), size)))
    if stale:  # or only not scored yet
        time.sleep(SECOND_LOOK_S)
        stale = watchdog.again(stale)
    named = [f"number {one.race_number} in stage {one.stage}" for one in stale]
    if named:
        log.error("stale results", results=named)
    return named


@shared_task
def rescore(event: str, entries: list[str], stage: str) -> int:
    """Score some entries anew from their fixes; how many. As often as you like: the same evidence, the same results."""
    with stream.connect(settings.REDIS_URL) as client:
        for _done, topics in score_again(Again(event, tuple(entries), stage)):
            stream.tell(client, topics)
    return len(entries)


@shared_task
def prove(revision: str) -> list[str]:
    """Compute a publication anew and hold it against what was published; why it differs. It writes nothing."""
    return revisions.prove(revision)


@shared_task
def replay(tape: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs of a part of a tape. It writes nothing, so it may run as often as you like."""
    return [asdict(one) for one in run(Tape.from_json(tape))]
