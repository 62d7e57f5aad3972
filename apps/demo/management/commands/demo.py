"""Rally Albania 2026, simulated and live: everything TRM does, with one command."""

import argparse
import math
import signal
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.common import stream
from apps.common.position import instant
from apps.common.sql import prepare_database
from apps.demo.domain.course import StageCourse
from apps.demo.domain.field import Crew, build_field
from apps.demo.domain.schedule import RallyClock, clock_for, course_at
from apps.demo.domain.traffic import spread_ms, traffic
from apps.demo.feeder import Feeder
from apps.demo.processes import ChildDiedError, Children, free_port
from apps.demo.report import classification, welcome
from apps.demo.services import build_event, make_logins, retire, watch_over
from apps.demo.settle import settle
from apps.demo.trackers import Trackers
from apps.events.models import Event
from apps.scoring.models import ResultStatus, StageResult

SAY_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Rally:
    """What is simulated; the same seed gives the same rally, on whatever day."""

    clock: RallyClock
    course: tuple[StageCourse, ...]
    crews: tuple[Crew, ...]
    seed: int

    @classmethod
    def now(cls, entries: int, seed: int, speed: float) -> "Rally":
        spread = spread_ms(entries)
        clock = clock_for(speed, int(time.time() * 1000), spread)
        course = course_at(clock, seed, spread)
        return cls(clock, course, build_field(entries, len(course), seed), seed)


class Command(BaseCommand):
    help = (
        "Builds Rally Albania 2026, drives a simulated field through it, and shows it live until Ctrl-C. "
        "What an earlier demo made goes first: its event, crews, trackers and their positions, and nothing else."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--speed", type=float, default=None, help="rally seconds a second (1; with --once as fast as it goes)"
        )
        parser.add_argument("--entries", type=int, default=80, help="crews at the start (80)")
        parser.add_argument("--seed", type=int, default=1, help="another number, another field and course (1)")
        parser.add_argument("--port", type=int, default=8000, help="of the web server on 127.0.0.1 (8000)")
        parser.add_argument("--once", action="store_true", help="run to the end, print the classification, exit")

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._run(options)
        except KeyboardInterrupt:
            self.stdout.write("\nStopped.")
        except ChildDiedError as error:
            raise CommandError(str(error)) from error

    def _run(self, options: dict[str, Any]) -> None:
        self.stdout.write("Preparing the database …")
        prepare_database()
        client = stream.connect(settings.REDIS_URL)
        settle(client)
        rally = Rally.now(options["entries"], options["seed"], _speed(options))
        event = build_event(rally.course, rally.crews)
        watch_over(event, crews_too=False)
        logins = make_logins(event.organization)
        port = free_port(options["port"])
        if options["port"] not in (port, 0):
            self.stdout.write(f"Port {options['port']} is taken: the pages are on {port}.")
        children, trackers = Children(port), Trackers(client)
        trackers.hold(imei for crew in rally.crews for imei in crew.devices)
        try:
            self.stdout.write(welcome(event, logins, port))
            self.stdout.flush()
            feeder = Feeder(client, settings.REDIS_TELEMETRY_STREAM, rally.clock)
            feeder.on_time = partial(watch_over, event, crews_too=True)
            self._drive(rally, event, feeder, Watch(self, event, feeder, (children, trackers)))
            self._end(event, options["once"], children, trackers)
        finally:
            trackers.leave()
            children.stop()

    def _drive(self, rally: Rally, event: Event, feeder: Feeder, watch: "Watch") -> None:
        for index in range(len(rally.course)):
            feeder.feed(traffic(rally.course, rally.crews, rally.seed, index), watch.look)
            feeder.drain(watch.look)
            for crew in rally.crews:
                if crew.mishaps[index].retires_at_m is not None:
                    entry = retire(event, crew.number)
                    stream.request(feeder.client, "decision", event_id=str(event.id), entry_id=entry)
        feeder.drain(watch.look)
        watch.say()

    def _end(self, event: Event, once: bool, children: Children, trackers: Trackers) -> None:
        self.stdout.write(classification(event))
        if once:
            return
        self.stdout.write("The field is home. The pages stay until Ctrl-C.")
        self.stdout.flush()
        while True:
            children.check()
            trackers.look()
            time.sleep(0.5)


class Watch:
    """Looks after the children and says how the rally goes."""

    def __init__(self, command: BaseCommand, event: Event, feeder: Feeder, field: tuple[Children, Trackers]) -> None:
        self._command = command
        self._event = event
        self._feeder = feeder
        self._children, self._trackers = field
        self._next = 0.0

    def look(self) -> None:
        self._children.check()
        self._trackers.look()
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + (0.5 if sys.stdout.isatty() else SAY_EVERY_S)
            self.say()

    def say(self) -> None:
        progress = self._feeder.progress
        if not progress.sent:
            return
        clock = instant(progress.now).strftime("%d %B %H:%M:%S")
        statuses = list(StageResult.objects.filter(stage__event=self._event).values_list("status", flat=True))
        running = statuses.count(ResultStatus.RUNNING)
        finished = statuses.count(ResultStatus.FINISHED)
        line = (
            f"  {clock} UTC   {progress.sent:>7} positions   {running:>3} on course   "
            f"{finished:>3} stage results   {self._feeder.waiting():>5} waiting"
        )
        on_terminal = sys.stdout.isatty()
        self._command.stdout.write(f"\r{line}" if on_terminal else line, ending="" if on_terminal else "\n")
        self._command.stdout.flush()


def _check(options: dict[str, Any]) -> None:
    """Raises CommandError naming every argument out of range."""
    wrong = [
        words
        for words, right in (
            ("--entries is from 1 to 180", 1 <= options["entries"] <= 180),
            ("--speed is a number from 0", 0 <= (options["speed"] or 0) < math.inf),
            ("--seed is from 0", options["seed"] >= 0),
            ("--port is from 0 to 65535", 0 <= options["port"] <= 65535),
        )
        if not right
    ]
    if wrong:
        raise CommandError("; ".join(wrong))


def _speed(options: dict[str, Any]) -> float:
    """Rally seconds a second, 0 for as fast as it goes."""
    if options["speed"] is not None:
        return float(options["speed"])
    return 0.0 if options["once"] else 1.0
