"""The scorer as a process: announced windows → crossings, results, ranks, outbox."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.common import service, stream
from apps.scoring.worker import Scorer, ScorerPace

REQUESTS_AT_ONCE = 50


class Command(BaseCommand):
    help = "Scores what the processor announces and what officials ask for, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        pace = ScorerPace(
            batch=REQUESTS_AT_ONCE,
            block_ms=settings.READ_BLOCK_MS,
            claim_after_ms=settings.CLAIM_THRESHOLD_MS,
            max_deliveries=settings.MAX_DELIVERIES,
        )
        service.run(Scorer(stream.connect(settings.REDIS_URL), settings.INSTANCE_ID, pace))
