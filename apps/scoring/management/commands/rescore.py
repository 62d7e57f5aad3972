"""Asks the scorers to score an event again from its evidence."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.common import stream
from apps.events.models import Entry, Event


class Command(BaseCommand):
    help = "Asks the running scorers to score all an event, or one entry, has driven again."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")
        parser.add_argument("--entry", type=int, metavar="NUMBER", help="one race number only")

    def handle(self, *args: Any, **options: Any) -> None:
        events = list(Event.objects.filter(slug=options["event"]))
        if len(events) != 1:
            known = ", ".join(Event.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"{len(events)} events have the slug {options['event']!r}; there are: {known}")
        names = {"event_id": str(events[0].id)}
        if options["entry"] is not None:
            names["entry_id"] = str(self._entry(events[0], options["entry"]).id)
        stream.request(stream.connect(settings.REDIS_URL), "rules", **names)
        self.stdout.write(f"Asked for {events[0].name} to be scored again.")

    def _entry(self, event: Event, number: int) -> Entry:
        entry = Entry.objects.filter(event=event, race_number=number).first()
        if entry is None:
            raise CommandError(f"{event.name} has no race number {number}")
        return entry
