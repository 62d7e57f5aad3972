"""Decodes the attributes of stored positions again, after an edit of the IO mapping."""

import argparse
import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress, TextColumn

from apps.catalog.decoding import AttributeDecoder
from apps.catalog.models import Device
from apps.telemetry import backfill
from apps.telemetry.backfill import Backfill, BackfillError

EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


class Command(BaseCommand):
    help = "Decodes the attributes of stored positions again. Killed in the middle, it goes on with --resume."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--device", action="append", metavar="IMEI", help="this tracker; may be given again")
        parser.add_argument("--model", action="append", metavar="NAME", help="all trackers of a device model")
        parser.add_argument("--all", action="store_true", help="all trackers of the catalogue")
        parser.add_argument("--from", dest="low", type=_instant, default=EARLIEST, metavar="TIME", help="ISO 8601")
        parser.add_argument("--until", dest="high", type=_instant, default=LATEST, metavar="TIME", help="included")
        parser.add_argument("--rate", type=float, default=5000, help="positions a second at most (0 = no limit)")
        parser.add_argument("--resume", type=int, metavar="ID", help="go on with one that was broken off")
        parser.add_argument("--unfinished", action="store_true", help="list those that were broken off")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["rate"] < math.inf:
            raise CommandError("--rate is a number from 0")
        if options["unfinished"]:
            for one in backfill.unfinished():
                self.stdout.write(f"{one.id}: {len(one.devices)} trackers, {one.seen} positions done so far")
            return
        try:
            work = backfill.find(options["resume"]) if options["resume"] is not None else _begin(options)
            self.stdout.write(f"Backfill {work.id}: {len(work.devices)} trackers. Broken off? --resume {work.id}")
            self._follow(work, options["rate"])
        except BackfillError as error:
            raise CommandError(str(error)) from error
        done = backfill.find(work.id)
        self.stdout.write(f"{done.seen} positions decoded again, {done.changed} of them to something else.")

    def _follow(self, work: Backfill, rate: float) -> None:
        """Show how many positions are done; nothing where nobody looks on."""
        columns = (*Progress.get_default_columns()[:1], TextColumn("{task.completed} positions"))
        with Progress(*columns, console=Console(file=cast(IO[str], self.stderr)), transient=True) as bar:
            task = bar.add_task("decoded again", total=None, completed=work.seen)
            for count in backfill.run(work, AttributeDecoder(), rate, time.sleep):
                bar.advance(task, count)


def _begin(options: dict[str, Any]) -> Backfill:
    devices = _devices(options)
    if not devices:
        raise CommandError("say which trackers: --device, --model or --all; the catalogue has none like that")
    if options["low"] > options["high"]:
        raise CommandError("--from is after --until")
    return backfill.begin(devices, options["low"], options["high"])


def _devices(options: dict[str, Any]) -> Sequence[str]:
    """Their IMEIs. Raises CommandError naming trackers and models that the catalogue does not have."""
    rows = Device.objects.all()
    if options["all"]:
        return list(rows.values_list("imei", flat=True))
    found = {
        name: list(rows.filter(model__name=name).values_list("imei", flat=True)) for name in options["model"] or ()
    }
    known = set(rows.filter(imei__in=options["device"] or ()).values_list("imei", flat=True))
    missing = [name for name, imeis in found.items() if not imeis] + sorted(set(options["device"] or ()) - known)
    if missing:
        raise CommandError(f"no tracker in the catalogue: {', '.join(missing)}")
    return sorted(known.union(*found.values()))


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO 8601 time") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
