"""Dead letters at the prompt: list, show, replay, drop."""

import argparse
import getpass
import json
import re
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import IO, Any, cast

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from apps.common import stream
from apps.common.letters import Act, Letter, now_ms
from apps.telemetry import dead_letters
from apps.telemetry.dead_letters import Filter, LetterError, Order, printable

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
COLUMNS = ("id", "stream", "failed at", "device", "deliveries", "error")


def since(text: str) -> int:
    """`90s`, `30m`, `2h` or `7d` ago, or an ISO-8601 instant (UTC unless it says), as epoch ms."""
    ago = re.fullmatch(r"(\d{1,6})([smhd])", text, re.ASCII)
    try:
        if ago:
            moment = datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0, int(moment.timestamp() * 1000))
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is neither like 30m, 2h, 7d nor an ISO-8601 time") from error


def limit(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no count (0 = all)")
    return int(text)


class Command(BaseCommand):
    help = (
        "Records that could not be worked off: lists them, shows one, sends them to their stream again, or drops "
        "them for good. Looks after the telemetry streams and the scorer's requests."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parsers = parser.add_subparsers(dest="action", required=True, metavar="list|show|replay|drop")
        listing = parsers.add_parser("list", help="newest first, a table or JSON lines")
        _add_filters(listing)
        listing.add_argument("--limit", type=limit, default=50, help="so many at most (50), 0 = all")
        listing.add_argument("--json", action="store_true", help="one JSON object a line")
        show = parsers.add_parser("show", help="all of one letter")
        show.add_argument("id")
        show.add_argument("--stream", default="", help="the stream it came from, where the id alone does not say")
        show.add_argument("--json", action="store_true", help="as one JSON object")
        replay = parsers.add_parser("replay", help="send the original records to their stream again")
        _add_choice(replay)
        drop = parsers.add_parser("drop", help="remove for good; what is dropped stands in the log")
        _add_choice(drop)
        drop.add_argument("--reason", required=True, help="why; it stands in the log")
        drop.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        act = {"list": self._list, "show": self._show, "replay": self._replay, "drop": self._drop}[options["action"]]
        try:
            with closing(stream.connect(settings.REDIS_URL)) as client:
                act(client, options)
        except LetterError as error:
            raise CommandError(str(error)) from error
        except redis.RedisError as error:
            raise CommandError(f"Redis: {error}", returncode=2) from error

    def _list(self, client: redis.Redis, options: dict[str, Any]) -> None:
        which = _filter(options)
        found = islice(dead_letters.matching(client, which), options["limit"] or None)
        if options["json"]:
            for letter in found:
                self.stdout.write(json.dumps(dead_letters.as_json(letter)))
        else:
            shown = self._table(found)
            self.stdout.write(f"{shown} shown of {dead_letters.count(client, which)} in {', '.join(which.streams)}")

    def _table(self, found: Iterable[Letter]) -> int:
        table = Table()
        for column in COLUMNS:
            table.add_column(column, no_wrap=column in COLUMNS[:3], overflow="fold")
        for letter in found:
            table.add_row(*(Text(printable(cell)) for cell in _cells(letter)))
        if table.row_count:
            # Without a terminal nobody knows the width: wide enough that nothing is broken over lines.
            Console(file=cast(IO[str], self.stdout), width=None if self.stdout.isatty() else 200).print(table)
        return table.row_count

    def _show(self, client: redis.Redis, options: dict[str, Any]) -> None:
        [letter] = dead_letters.find(client, [options["id"]], dead_letters.streams_of(options["stream"]))
        if options["json"]:
            self.stdout.write(json.dumps(dead_letters.as_json(letter)))
            return
        heads = dict(zip(COLUMNS, _cells(letter), strict=True)) | {"failed at": letter.failed_at}
        rows: list[tuple[bytes | str, bytes | str]] = [
            *heads.items(),
            ("origin id", letter.added(b"origin_id")),
            *letter.original.items(),
        ]
        for name, value in rows:
            self.stdout.write(f"{printable(name):<12} {printable(value)}")
        if text := dead_letters.pretty(letter):
            self.stdout.write(f"\n{text}")

    def _replay(self, client: redis.Redis, options: dict[str, Any]) -> None:
        order = Order(Act.REPLAY, getpass.getuser())
        if options["ids"]:
            outcome = dead_letters.settle(client, self._chosen(client, options), order)
        else:
            outcome = dead_letters.settle_all(client, _filter(options), order)
        self.stdout.write(f"{outcome.done} sent again")
        if outcome.bare:
            self.stderr.write(
                f"{outcome.bare} left: trimmed before they were read, they hold nothing to send; drop them"
            )

    def _drop(self, client: redis.Redis, options: dict[str, Any]) -> None:
        order = Order(Act.DROP, getpass.getuser(), options["reason"])
        if options["ids"]:
            chosen = self._chosen(client, options)
            self._confirm(len(chosen), options)
            outcome = dead_letters.settle(client, chosen, order)
        else:
            which, seen = _filter(options), now_ms(client)
            self._confirm(dead_letters.count(client, which), options)
            outcome = dead_letters.settle_all(client, replace(which, until_ms=seen), order)
        self.stdout.write(f"{outcome.done} dropped")

    def _chosen(self, client: redis.Redis, options: dict[str, Any]) -> list[Letter]:
        if options["all"] or not _filter(options).is_open:
            raise CommandError("give ids or a choice (--all, --error, --device, --since), not both")
        return dead_letters.find(client, options["ids"], dead_letters.streams_of(options["stream"]))

    def _confirm(self, number: int, options: dict[str, Any]) -> None:
        if options["yes"] or not number:
            return
        try:
            answer = input(f"Drop {number} dead letters for good? [y/N] ")
        except EOFError as error:
            raise CommandError("nobody there to confirm: say --yes") from error
        if answer.strip().casefold() not in ("y", "yes"):
            raise CommandError("nothing dropped")


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stream", default="", help="of this stream only, by its own name or its :dlq")
    parser.add_argument("--error", default="", help="with this text in the error, in any case")
    parser.add_argument("--device", default="", help="of this device (IMEI)")
    parser.add_argument("--since", type=since, default=0, help="put aside since: 30m, 2h, 7d, or an ISO-8601 time")


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID")
    parser.add_argument("--all", action="store_true", help="all of them, of --stream if given")
    _add_filters(parser)


def _filter(options: dict[str, Any]) -> Filter:
    """The filter of the options. Raises CommandError where an act would meet all without being told so."""
    streams = dead_letters.streams_of(options["stream"])
    which = Filter(streams, options["error"], options["device"], options["since"])
    if which.is_open and not options.get("all", True) and not options["ids"]:
        raise CommandError("say which: ids, --all, --error, --device or --since")
    return which


def _cells(letter: Letter) -> tuple[str, ...]:
    failed = f"{letter.failed:%Y-%m-%d %H:%M:%SZ}" if letter.failed else letter.failed_at
    return letter.ref.id, letter.ref.stream, failed, letter.device, letter.added(b"deliveries"), letter.error
