"""The watch as a process: fixes that ask for help, and how crews stand → alerts."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.common import service, stream
from apps.safety.detector import Watch


class Command(BaseCommand):
    help = "Watches every crew of the events that are on, and raises alerts, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        service.run(Watch(stream.connect(settings.REDIS_URL), settings.INSTANCE_ID, settings.READ_BLOCK_MS))
