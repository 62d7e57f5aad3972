"""Shows, opens and publishes again the start list of a stage."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import User
from apps.common.position import instant, iso
from apps.course.models import Stage
from apps.events.models import Event
from apps.scoring.start_lists import Move, StartRow, open_stage, propose, republish
from apps.timing.domain.start_order import StartOrderError
from apps.timing.models import StartList


class Command(BaseCommand):
    help = "Shows a stage's start list: the one in force, or with --propose as it would be published now."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")
        parser.add_argument("stage", help="name or sort order of the stage")
        act = parser.add_mutually_exclusive_group()
        act.add_argument("--propose", action="store_true", help="as it would be published now; writes nothing")
        act.add_argument("--open", action="store_true", help="publish version 1 and write the assigned starts")
        act.add_argument("--republish", action="store_true", help="publish the next version if anything changed")
        parser.add_argument("--reason", default="", help="why it is published again")
        parser.add_argument("--reset-by-hand", action="store_true", help="let go of starts set by hand")
        parser.add_argument("--author", metavar="EMAIL", help="the official who opens or publishes")
        parser.add_argument("--json", action="store_true", help="rows and moves as JSON, instants in UTC")

    def handle(self, *args: Any, **options: Any) -> None:
        stage = _stage(options["event"], options["stage"])
        try:
            title, rows, moves = _act(stage, options)
        except StartOrderError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(_json(title, rows, moves))
            return
        zone = ZoneInfo(stage.event.time_zone)
        self.stdout.write(f"{stage.event.name}, {stage.name}: {title}. Times of {zone.key}.")
        for line in [*table(rows, zone), *told(moves, zone)]:
            self.stdout.write(line)


def table(rows: Sequence[StartRow], zone: ZoneInfo) -> list[str]:
    """The list as lines; date and offset are shown where they are not the same all along."""
    clock = _clock([row.start_ms for row in rows], zone)
    cells = [("pos", "no", "crew", "class", "start", "note")]
    cells += [
        (str(r.position), str(r.number), r.crew, r.race_class, _time(r.start_ms, zone, clock), r.reason) for r in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def told(moves: Sequence[Move], zone: ZoneInfo) -> list[str]:
    clock = _clock([ms for move in moves for ms in (move.old_ms, move.new_ms) if ms is not None], zone)
    return [f"{m.number}: {_told(m.old_ms, zone, clock)} → {_told(m.new_ms, zone, clock)}" for m in moves]


def _told(ms: int | None, zone: ZoneInfo, clock: str) -> str:
    return "not on the list" if ms is None else _time(ms, zone, clock)


def _time(ms: int, zone: ZoneInfo, clock: str) -> str:
    return instant(ms).astimezone(zone).strftime(clock)


def _clock(instants: Sequence[int], zone: ZoneInfo) -> str:
    """A list over midnight needs the date, one over a change of the clocks the offset."""
    local = [instant(ms).astimezone(zone) for ms in instants]
    day = "%Y-%m-%d " if len({t.date() for t in local}) > 1 else ""
    offset = " %z" if len({t.utcoffset() for t in local}) > 1 else ""
    return f"{day}%H:%M:%S{offset}"


_Shown = tuple[str, Sequence[StartRow], Sequence[Move]]


def _act(stage: Stage, options: dict[str, Any]) -> _Shown:
    if options["open"]:
        return _published(open_stage(stage, _author(options["author"])))
    if options["republish"]:
        author = _author(options["author"])
        done = republish(stage, author, options["reason"], reset_by_hand=options["reset_by_hand"])
        title, rows, _ = _published(done.list)
        return title, rows, done.moves
    held = StartList.objects.filter(stage=stage, state="published").order_by("-version").first()
    if options["propose"] or held is None:
        return "proposed", propose(stage, reset_by_hand=options["reset_by_hand"]), ()
    return _published(held)


def _published(held: StartList) -> _Shown:
    return f"version {held.version}", [StartRow(**row) for row in held.rows], ()


def _author(email: str | None) -> User:
    user = User.objects.filter(email=email).first() if email else None
    if user is None:
        raise CommandError(f"--author: {email or 'missing'}; a published list is signed by a user's e-mail address")
    return user


def _stage(slug: str, name: str) -> Stage:
    events = list(Event.objects.filter(slug=slug))
    if len(events) != 1:
        known = ", ".join(Event.objects.values_list("slug", flat=True)) or "none"
        raise CommandError(f"{len(events)} events have the slug {slug!r}; there are: {known}")
    stages = list(Stage.objects.filter(event=events[0]).select_related("event"))
    found = [s for s in stages if s.name == name] or [s for s in stages if str(s.sort_order) == name]
    if len(found) != 1:
        known = ", ".join(f"{s.sort_order} {s.name}" for s in stages) or "none"
        raise CommandError(f"{events[0].name} has {len(found)} stages {name!r}; there are: {known}")
    return found[0]


def _json(title: str, rows: Sequence[StartRow], moves: Sequence[Move]) -> str:
    content = {
        "list": title,
        "rows": [asdict(row) | {"start": iso(row.start_ms)} for row in rows],
        "moves": [asdict(move) for move in moves],
    }
    return json.dumps(content, indent=2, ensure_ascii=False)
