"""The durable pipeline as a process: stream → positions → announcements."""

import argparse
import gc
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from apps.common import service, stream
from apps.telemetry.services import Pace, Processor


class Command(BaseCommand):
    help = "Reads positions from the telemetry streams and writes them to PostgreSQL, until SIGTERM."
    # Checks of URLs would load every page of TRM: 35 MiB of which a processor has no use. prepare_database makes them.
    requires_system_checks = (Tags.models, Tags.database)

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
            # One more is in the reader's hands. Further ahead it would only take work away from other processors.
            ahead=max(2, settings.WRITE_BATCH_SIZE // settings.READ_BATCH_SIZE - 1),
            write=settings.WRITE_BATCH_SIZE,
        )
        spare_collections()
        service.run(Processor(stream.connect(settings.REDIS_URL), names, settings.INSTANCE_ID, pace))


def spare_collections() -> None:
    """Let the collector pass over what is loaded for good, and look at the rest once a batch, not at every 700 objects.

    Records in hand are thousands of objects without a circle, which it would walk over again and again.
    """
    gc.freeze()
    gc.set_threshold(100_000)
