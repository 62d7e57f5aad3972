"""The dispatcher as a process: queued commands → ingestion instances, their answers → commands."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.commands.dispatcher import Dispatcher
from apps.common import service, stream


class Command(BaseCommand):
    help = "Hands commands to the ingestion instances that hold the devices, and takes the answers, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        service.run(Dispatcher(stream.connect(settings.REDIS_URL), settings.INSTANCE_ID, settings.READ_BLOCK_MS))
