"""The live channel as a process of its own, so that viewers scale apart from the office."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from apps.common import service
from apps.live.server import LiveServer, configured, listen


class Command(BaseCommand):
    help = (
        "Serves /ws-live and the public pages, until SIGTERM. Start as many as you like on one address: the kernel "
        "spreads new viewers over them; each needs a METRICS_PORT of its own."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8001, help="default: 8001")
        parser.add_argument(
            "--drain", type=float, default=5.0, help="seconds over which viewers are sent away at the end (default: 5)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        try:
            listener = listen(host, port)
        except OSError as error:
            raise CommandError(f"{host}:{port} cannot be opened: {error.strerror}") from error
        with service.probed() as pulse:
            config = configured(import_string(settings.ASGI_APPLICATION), pulse.beat)
            LiveServer(config, options["drain"]).run([listener])
