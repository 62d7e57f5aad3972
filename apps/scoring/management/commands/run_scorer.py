"""The scorer as a process: announced windows → crossings, results, ranks, outbox."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.common import health, metrics, stream
from apps.common.loop import Loop
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
        scorer = Scorer(stream.connect(settings.REDIS_URL), settings.INSTANCE_ID, pace)
        pulse = metrics.Pulse()
        try:
            server = metrics.serve(settings.METRICS_PORT, alive=pulse.is_beating, not_ready=health.not_ready)
        except metrics.MetricsPortError as error:
            raise CommandError(str(error)) from error
        Loop(scorer, pulse.beat).run()
        if server:
            server.close()
