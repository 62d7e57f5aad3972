"""The durable pipeline as a process: stream → positions → announcements."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.common import health, metrics, stream
from apps.common.loop import Loop
from apps.telemetry.services import Pace, Processor

BATCHES_AHEAD = 2


class Command(BaseCommand):
    help = "Reads positions from the telemetry streams and writes them to PostgreSQL, until SIGTERM."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--streams",
            default=settings.REDIS_TELEMETRY_STREAM,
            help="this process's share of the streams, comma-separated (default: all of them)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        names = stream.streams(options["streams"])
        if not names:
            raise CommandError("--streams names no stream")
        pace = Pace(
            batch=settings.READ_BATCH_SIZE,
            block_ms=settings.READ_BLOCK_MS,
            claim_after_ms=settings.CLAIM_THRESHOLD_MS,
            max_deliveries=settings.MAX_DELIVERIES,
            ahead=BATCHES_AHEAD,
        )
        processor = Processor(stream.connect(settings.REDIS_URL), names, settings.INSTANCE_ID, pace)
        pulse = metrics.Pulse()
        try:
            server = metrics.serve(settings.METRICS_PORT, alive=pulse.is_beating, not_ready=health.not_ready)
        except metrics.MetricsPortError as error:
            raise CommandError(str(error)) from error
        Loop(processor, pulse.beat).run()
        if server:
            server.close()
