"""Replays a recorded race over a course: in memory with what would come out, or live into a scratch event."""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import IO, Any, cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from apps.common import stream
from apps.common.pacing import paced
from apps.course.models import Stage, Waypoint
from apps.penalties.domain.formulas import clock
from apps.scoring import scratch
from apps.scoring.management.arguments import event_of
from apps.scoring.management.commands.dry_run import table as differing
from apps.scoring.management.workers import spread
from apps.scoring.plans import END_OF_TIME
from apps.scoring.replay import Board, Run, Tape, board, competing_entries, differences, run

TASK = "apps.scoring.tasks.replay"


class Command(BaseCommand):
    help = "Sends stored positions through scoring again. Writes nothing, unless --into makes a scratch event."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("course", help="slug of the event whose course and rules hold")
        parser.add_argument("--of", metavar="SLUG", help="event whose entries are replayed (default: the same)")
        parser.add_argument("--entry", type=int, action="append", metavar="NUMBER", help="these race numbers only")
        parser.add_argument("--device", action="append", metavar="IMEI", help="bare trackers instead of entries")
        parser.add_argument("--from", dest="low", type=_instant, default=0, metavar="TIME", help="ISO 8601, or UTC")
        parser.add_argument("--until", dest="high", type=_instant, default=END_OF_TIME, metavar="TIME")
        parser.add_argument(
            "--align", type=_instant, metavar="TIME", help="recorded instant that stands for the course's first start"
        )
        parser.add_argument("--workers", action="store_true", help="spread over the Celery workers of the queue bulk")
        parser.add_argument("--json", action="store_true", help="one object a run of a stage, or a changed line")
        parser.add_argument("--into", metavar="SLUG", help="make this scratch event and send the race into it")
        parser.add_argument(
            "--speed", type=float, default=0, help="with --into: recorded seconds a second; 0 = at once"
        )
        parser.add_argument("--remove", action="store_true", help="take the scratch event COURSE away")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["speed"] < math.inf:
            raise CommandError("--speed is a number from 0")
        try:
            if options["remove"]:
                scratch.remove(event_of(options["course"]))
                return
            tape = _tape(options)
            if options["into"]:
                self._demonstrate(tape, options)
            else:
                self._show(tape, options)
        except (ValidationError, LookupError) as error:
            raise CommandError("; ".join(getattr(error, "messages", [str(error)]))) from error
        except ValueError as error:
            raise CommandError(f"the course cannot be read: {error}") from error

    def _demonstrate(self, tape: Tape, options: dict[str, Any]) -> None:
        if not tape.entries:
            raise CommandError("--into needs entries: leave out --device")
        stand_ins = scratch.make(tape, options["into"])
        sent = 0
        with stream.connect(settings.REDIS_URL) as client:
            try:
                for batch in paced(scratch.recorded(stand_ins, tape), options["speed"]):
                    sent += stream.send(client, settings.REDIS_TELEMETRY_STREAM, batch)
            except KeyboardInterrupt:
                self.stderr.write("Stopped.")
        self.stdout.write(f"{sent} positions of {len(stand_ins)} trackers sent into {options['into']}.")

    def _show(self, tape: Tape, options: dict[str, Any]) -> None:
        parts = list(tape.parts())
        runs = self._follow(_by_workers(parts) if options["workers"] else _here(parts), len(parts))
        seen = board(tape.course, runs)
        console = Console(file=cast(IO[str], self.stdout), highlight=False)
        if tape.course == tape.source:
            found = list(differences(seen, tape.entries))
            if options["json"]:
                self._lines({"number": d.race_number, "stage": d.stage, "changes": d.changes()} for d in found)
            else:
                console.print(differing(found) if found else "It comes to what is on record.")
        elif options["json"]:
            self._lines(asdict(one) | {"rank": r.rank} for rows in seen.stages.values() for r, one in rows)
        else:
            for shown in tables(seen):
                console.print(shown)

    def _lines(self, objects: Iterator[Any]) -> None:
        for one in objects:
            self.stdout.write(json.dumps(one))

    def _follow(self, progress: Iterator[list[Run]], total: int) -> list[Run]:
        """The runs of all parts; shows how many parts are done, where somebody looks on."""
        runs: list[Run] = []
        with Progress(console=Console(file=cast(IO[str], self.stderr)), transient=True) as bar:
            task = bar.add_task("parts", total=total)
            for done, found in enumerate(progress, start=1):
                runs += found
                bar.update(task, completed=done)
        return runs


def _here(parts: Sequence[Tape]) -> Iterator[list[Run]]:
    return (run(part) for part in parts)


def _by_workers(parts: Sequence[Tape]) -> Iterator[list[Run]]:
    shown = 0
    for done in spread(TASK, [[part.to_json()] for part in parts]):
        for _ in range(len(done) - shown):
            yield []  # progress: which runs these are is known when all are there
        shown, last = len(done), done
    yield [Run.from_json(values) for part in last for values in part]


def _tape(options: dict[str, Any]) -> Tape:
    course = event_of(options["course"])
    devices = tuple(options["device"] or ())
    source = event_of(options["of"]) if options["of"] else course
    entries = () if devices else competing_entries(str(source.id), options["entry"] or ())
    shift = 0
    if options["align"] is not None:
        first = Stage.objects.filter(event=course).order_by("starts_at").first()
        if first is None:
            raise CommandError(f"{course.name} has no stage")
        shift = round(first.starts_at.timestamp() * 1000) - options["align"]
    named = "" if devices else str(source.id)
    if shift and named == str(course.id):
        raise CommandError("--align is for the course of another event")
    return Tape(str(course.id), named, entries, devices, options["low"], options["high"], shift)


def tables(seen: Board) -> Iterator[Table | str]:
    """What came out of each stage, ranked, and the waypoints that nobody reached: the course is at fault there."""
    names = {str(row.id): str(row) for row in Waypoint.objects.filter(segment__stage__event_id=seen.plan.event)}
    for stage in seen.plan.stages:
        rows = seen.stages[stage.id]
        shown = Table("rank", "number", "status", "time", "penalties", "total", "missed", title=stage.name, box=None)
        for ranked, one in rows:
            times = [_clock(one.time_ms), _clock(one.penalty_ms), _clock(one.total_ms)]
            missed = ", ".join(names.get(point, point) for point in one.missed)
            shown.add_row(str(ranked.rank or "–"), str(one.race_number), one.status, *times, missed)
        yield shown
        nobody = set.intersection(*(set(one.missed) for _, one in rows)) if rows else set()
        if not rows:
            yield "Nobody drove it."
        elif nobody:
            yield f"Nobody reached {', '.join(sorted(names.get(point, point) for point in nobody))}."


def _clock(ms: int | None) -> str:
    return "–" if ms is None else clock(ms)


def _instant(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO 8601 time") from error
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
