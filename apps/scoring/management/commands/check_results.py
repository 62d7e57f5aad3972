"""Recomputes results from their fixes and says which on record differ."""

import argparse
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.scoring.management.arguments import event_of
from apps.scoring.queries import open_events
from apps.scoring.watchdog import again, look, sample

SECOND_LOOK_S = 5.0


class Command(BaseCommand):
    help = "Recomputes a sample of the results from their fixes; exit code 1 when one on record is stale."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("event", nargs="?", help="slug of one event (default: every open event)")
        parser.add_argument("--sample", type=int, default=20, help="how many results (default 20)")

    def handle(self, *args: Any, **options: Any) -> None:
        events = [str(event_of(options["event"]).id)] if options["event"] else open_events()
        if not events:
            self.stdout.write("Nothing was looked at: no event is open, within 30 days of now. Name one.")
            return
        places = sample(events, options["sample"])
        stale = list(look(places))
        if stale:  # or only not scored yet: ask once more
            time.sleep(SECOND_LOOK_S)
            stale = again(stale)
        if stale:
            named = ", ".join(f"number {s.race_number} in stage {s.stage}" for s in stale)
            raise CommandError(f"stale results: {named}")
        self.stdout.write(f"{len(places)} results recomputed from their fixes: all as on record.")
