"""How the pipeline stands, as a table or as JSON."""

import argparse
import json
import time
from collections.abc import Sequence
from contextlib import closing
from typing import IO, Any, cast

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from apps.common import stream
from apps.telemetry.dead_letters import printable
from apps.telemetry.status import Consumer, StreamStatus, pipeline_status

REDIS_AWAY = 2
STREAMS = ("stream", "group", "length", "unread", "pending", "oldest pending", "records/s", "dead letters")
CONSUMERS = ("stream", "consumer", "pending", "idle")


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from error
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text} s is not between 0 and 3600")
    return value


class Command(BaseCommand):
    help = (
        "Every telemetry stream and the scorer's requests: length, unread, pending, oldest pending, consumers, dead "
        "letters, and records a second, measured by how many entries the group was given during a short sample. "
        f"Exit code {REDIS_AWAY} when Redis does not answer."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object a look, on one line")
        parser.add_argument("--watch", type=seconds, metavar="SECONDS", help="again after so long, until Ctrl-C")
        parser.add_argument("--sample", type=seconds, default=1.0, help="seconds to measure over (1), 0 = no rate")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with closing(stream.connect(settings.REDIS_URL)) as client:
                self._look(client, options)
                while options["watch"] is not None:
                    time.sleep(options["watch"])
                    self._look(client, options)
        except redis.RedisError as error:
            raise CommandError(f"Redis: {error}", returncode=REDIS_AWAY) from error
        except KeyboardInterrupt:
            return

    def _look(self, client: redis.Redis, options: dict[str, Any]) -> None:
        found = pipeline_status(client, options["sample"])
        if options["json"]:
            self.stdout.write(json.dumps({"streams": [status.as_json() for status in found]}))
            self.stdout.flush()
            return
        on_terminal = self.stdout.isatty()
        console = Console(file=cast(IO[str], self.stdout), width=None if on_terminal else 160)
        if on_terminal and options["watch"] is not None:
            console.clear()
        console.print(_streams(found))
        if any(status.consumers for status in found):
            console.print(_consumers(found))


def _streams(found: Sequence[StreamStatus]) -> Table:
    table = Table()
    for number, name in enumerate(STREAMS):
        table.add_column(name, justify="left" if number < 2 else "right", no_wrap=number < 2)
    for status in found:
        table.add_row(*(Text(cell) for cell in _cells(status)))
    return table


def _cells(status: StreamStatus) -> tuple[str, ...]:
    letters = str(status.dead_letters)
    if not status.group_exists:
        # A length without a group: records wait, and no worker has ever been started.
        length = str(status.length) if status.exists else ""
        return (status.stream, f"{status.group}: not there yet", length, "", "", "", "", letters)
    oldest = "" if status.oldest_pending_s is None else f"{status.oldest_pending_s:.1f} s"
    counts = (status.length, status.unread, status.pending)
    return (status.stream, status.group, *map(_known, counts), oldest, _known(status.rate), letters)


def _known(value: float | None) -> str:
    return "?" if value is None else str(value)


def _consumers(found: Sequence[StreamStatus]) -> Table:
    table = Table()
    for number, name in enumerate(CONSUMERS):
        table.add_column(name, justify="left" if number < 2 else "right", no_wrap=number < 2)
    for status in found:
        for consumer in status.consumers:
            table.add_row(*(Text(printable(cell)) for cell in _row(status, consumer)))
    return table


def _row(status: StreamStatus, consumer: Consumer) -> tuple[str, ...]:
    return status.stream, consumer.name, str(consumer.pending), f"{consumer.idle_ms / 1000:.1f} s"
