"""The relay as a process: domain events → Redis stream and webhooks."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.common import service, stream
from apps.integrations.relay import Relay, RelayPace

REST_MS = 200


class Command(BaseCommand):
    help = "Hands domain events out to the stream domain:events and to the webhooks that want them, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        pace = RelayPace(
            rest_ms=REST_MS,
            attempts=settings.WEBHOOK_ATTEMPTS,
            retry_ms=settings.WEBHOOK_RETRY_MS,
            keep_days=settings.DOMAIN_EVENTS_RETENTION_DAYS,
        )
        service.run(Relay(stream.connect(settings.REDIS_URL), settings.INSTANCE_ID, pace))
