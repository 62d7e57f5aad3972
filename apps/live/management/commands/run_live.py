"""The live channel as a process of its own, so that viewers scale apart from the office."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from apps.common import service
from apps.common.priority import give_way
from apps.live.server import LiveServer, configured, listen

NICE = 10  # a tenth of what others get where all want the processors


class Command(BaseCommand):
    help = (
        "Serves /ws-live and the public pages, until SIGTERM. Start as many as you like on one address: the kernel "
        "spreads new viewers over them; each needs a METRICS_PORT of its own. It gives way to timing and the office on "
        "the same machine (--nice)."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8001, help="default: 8001")
        parser.add_argument(
            "--drain", type=float, default=5.0, help="seconds over which viewers are sent away at the end (default: 5)"
        )
        parser.add_argument(
            "--nice",
            type=int,
            default=NICE,
            metavar="N",
            help=f"lower the priority to this, up to 19; 0 on a machine of its own (default: {NICE})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        give_way(options["nice"])
        host, port = options["host"], options["port"]
        try:
            listener = listen(host, port)
        except OSError as error:
            raise CommandError(f"{host}:{port} cannot be opened: {error.strerror}") from error
        with service.probed() as pulse:
            config = configured(import_string(settings.ASGI_APPLICATION), pulse.beat)
            LiveServer(config, options["drain"]).run([listener])
