"""Doors for Celery: ids in, one call."""

from dataclasses import asdict
from typing import Any

from celery import shared_task
from django.conf import settings

from apps.common import stream
from apps.scoring.replay import Tape, run
from apps.scoring.services import Again, score_again


@shared_task
def rescore(event: str, entries: list[str], stage: str) -> int:
    """Score some entries anew from their fixes; how many. As often as you like: the same evidence, the same results."""
    with stream.connect(settings.REDIS_URL) as client:
        for _done, topics in score_again(Again(event, tuple(entries), stage)):
            stream.tell(client, topics)
    return len(entries)


@shared_task
def replay(tape: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs of a part of a tape. It writes nothing, so it may run as often as you like."""
    return [asdict(one) for one in run(Tape.from_json(tape))]
