"""Imports a course file into a segment and says all that is wrong with it."""

import argparse
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from apps.common import stream
from apps.course.models import Segment, SegmentType, Stage
from apps.course.services import Report, import_course
from apps.events.models import Event


class Command(BaseCommand):
    help = "Imports waypoints, geofences and speed zones from GPX (OpenRally), KML or GeoJSON into a segment."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event, or organization/event")
        parser.add_argument("stage", help="name of the stage, or its order")
        parser.add_argument("file", type=Path, help="the name ends with .gpx, .kml, .geojson or .json")
        parser.add_argument("--segment", type=int, metavar="N", help="order of the segment; else the special stage")
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
        parser.add_argument("--replace", action="store_true", help="in place of what the segment has")

    def handle(self, *args: Any, **options: Any) -> None:
        event = _event(options["event"])
        segment = _segment(_stage(event, options["stage"]), options["segment"])
        path: Path = options["file"]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        report = import_course(segment, path.name, data, replace=options["replace"], dry_run=options["dry_run"])
        self._show(report)
        if report.errors:
            raise CommandError(f"{path}: {_many(report.errors, 'error')}, nothing is imported")
        counts = (
            f"{_many(report.waypoints, 'waypoint')}, {_many(report.fences, 'geofence')}, {_many(report.zones, 'zone')}"
        )
        if options["dry_run"]:
            self.stdout.write(f"{path}: {counts} could be imported into {segment}.")
            return
        self.stdout.write(f"{path}: {counts} imported into {segment}.")
        _tell_scorers(event)

    def _show(self, report: Report) -> None:
        for finding in report.findings:
            self.stdout.write(f"{finding.severity:<8}{finding.place:<28} {finding.field:<16} {finding.reason}")


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _tell_scorers(event: Event) -> None:
    try:
        stream.request(stream.connect(settings.REDIS_URL), "course", event_id=str(event.id))
    except redis.RedisError as error:
        raise CommandError(f"imported, but Redis did not take the request to score again: {error}") from error


def _event(given: str) -> Event:
    organization, _, slug = given.rpartition("/")
    wanted = Event.objects.filter(slug=slug)
    if organization:
        wanted = wanted.filter(organization__slug=organization)
    events = list(wanted)
    if len(events) == 1:
        return events[0]
    known = Event.objects.values_list("organization__slug", "slug")
    names = ", ".join(f"{organization}/{slug}" for organization, slug in known) or "none"
    raise CommandError(f"{len(events)} events are called {given!r}; there are: {names}")


def _stage(event: Event, given: str) -> Stage:
    wanted = Q(name=given) | Q(sort_order=int(given)) if given.isdecimal() and len(given) < 10 else Q(name=given)
    stages = list(event.stages.filter(wanted))
    if len(stages) == 1:
        return stages[0]
    names = ", ".join(f"{stage.sort_order} {stage.name!r}" for stage in event.stages.all()) or "none"
    raise CommandError(f"{len(stages)} stages of {event} are called {given!r}; there are: {names}")


def _segment(stage: Stage, order: int | None) -> Segment:
    """The segment of this order; without one the only segment, or the only special stage."""
    segments = list(stage.segments.all())
    special = [segment for segment in segments if segment.type == SegmentType.SPECIAL_STAGE]
    if order is not None:
        wanted = [segment for segment in segments if segment.sort_order == order]
    else:
        wanted = segments if len(segments) == 1 else special
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(f"{segment.sort_order} {segment}" for segment in segments) or "none"
    raise CommandError(f"{stage}: give --segment with one of: {names}")
