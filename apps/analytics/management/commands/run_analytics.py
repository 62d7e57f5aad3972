"""The analytics exporter as a process: telemetry streams → Parquet files or ClickHouse."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.analytics.files import MissingExtraError
from apps.analytics.sinks import sink
from apps.analytics.worker import Exporter, ExportPace
from apps.common import service, stream


class Command(BaseCommand):
    help = "Writes every position of the telemetry streams to ANALYTICS_URL, each once, until SIGTERM."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--to", default=settings.ANALYTICS_URL, metavar="URL", help="instead of ANALYTICS_URL")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["to"]:
            raise CommandError("ANALYTICS_URL is not set: file:///…, s3://bucket/…, or clickhouse://host:8123/database")
        pace = ExportPace(
            most=settings.ANALYTICS_BATCH_SIZE,
            flush_s=settings.ANALYTICS_FLUSH_MS / 1000,
            block_ms=settings.READ_BLOCK_MS,
            # A live consumer holds records until its batch is full: it must not be taken for dead meanwhile.
            claim_ms=max(settings.CLAIM_THRESHOLD_MS, 3 * settings.ANALYTICS_FLUSH_MS),
        )
        try:
            target = sink(options["to"])
        except (MissingExtraError, ValueError) as error:
            raise CommandError(f"ANALYTICS_URL: {error}") from error
        client, names = stream.connect(settings.REDIS_URL), stream.streams(settings.REDIS_TELEMETRY_STREAM)
        service.run(Exporter(client, names, settings.INSTANCE_ID, target, pace))
