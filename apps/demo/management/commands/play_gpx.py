"""Recorded tracks through the stream, as if their trackers sent them now."""

import argparse
import heapq
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.common import stream
from apps.common.gpx import GpxError, GpxPoint, read_points
from apps.common.pacing import paced
from apps.common.position import Position, instant
from apps.events.models import EntryDevice, Event

SATELLITES = 9  # a recorded point was a fix: 0 would mark it as none


class Command(BaseCommand):
    help = "Sends recorded GPX tracks through the telemetry stream, each as the tracker of an entry."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--event", required=True, help="slug of the event")
        parser.add_argument(
            "--entry",
            action="append",
            type=int,
            metavar="NUMBER",
            help="race number for each file in turn (default: the entries with a tracker, by number)",
        )
        parser.add_argument("--speed", type=float, default=0, help="recorded seconds a second (0 = as fast as it goes)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["speed"] < math.inf:
            raise CommandError("--speed is a number from 0")
        links = self._links(options["event"], options["entry"], len(options["files"]))
        tracks = [self._track(file, link) for file, link in zip(options["files"], links, strict=True)]
        positions = heapq.merge(*tracks, key=lambda position: position.ts)
        client = stream.connect(settings.REDIS_URL)
        name = settings.REDIS_TELEMETRY_STREAM
        sent = 0
        try:
            for batch in paced(positions, options["speed"]):
                sent += stream.send(client, name, batch)
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")
        self.stdout.write(f"{sent} positions sent to {name}.")

    def _links(self, slug: str, numbers: Sequence[int] | None, files: int) -> list[EntryDevice]:
        """One assignment a file. Raises CommandError naming what is missing."""
        events = Event.objects.filter(slug=slug)
        if len(events) != 1:
            raise CommandError(
                f"several organizations have an event {slug!r}" if events else f"no event has the slug {slug!r}"
            )
        links = EntryDevice.objects.filter(entry__event=events[0]).select_related("entry", "device")
        carried: dict[int, EntryDevice] = {}
        for link in links.order_by("entry__race_number", "priority", "assigned_from"):
            carried.setdefault(link.entry.race_number, link)
        wanted = list(carried)[:files] if numbers is None else numbers
        if len(wanted) != files:
            raise CommandError(f"{files} files, but {len(wanted)} entries to play them")
        missing = [str(number) for number in wanted if number not in carried]
        if missing:
            raise CommandError(f"no tracker on race number {', '.join(missing)} of {slug}")
        return [carried[number] for number in wanted]

    def _track(self, file: Path, link: EntryDevice) -> list[Position]:
        try:
            track = read_points(file)
        except GpxError as error:
            raise CommandError(f"{file}: {error}") from error
        if track.without_time:
            self.stderr.write(f"{file}: {track.without_time} points without a time left out")
        outside = sum(not _carried(link, point.ts) for point in track.points)
        if outside:
            self.stderr.write(
                f"{file}: {outside} points lie outside the time in which number {link.entry.race_number} carries "
                f"{link.device.imei}: they are stored, and count for nobody"
            )
        return [_position(point, link.device.imei) for point in track.points]


def _carried(link: EntryDevice, ts: int) -> bool:
    moment = instant(ts)
    return link.assigned_from <= moment and (link.assigned_until is None or moment < link.assigned_until)


def _position(point: GpxPoint, imei: str) -> Position:
    return Position(
        device_id=imei,
        ts=point.ts,
        latitude=point.lat,
        longitude=point.lon,
        altitude=point.ele or 0.0,
        angle=(point.course or 0.0) % 360,
        speed=point.speed_kmh or 0.0,
        satellites=SATELLITES,
    )
