"""Recomputes a published revision from its snapshot and the positions, and compares."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.scoring.management.arguments import event_of, stage_of
from apps.scoring.models import ResultRevision
from apps.scoring.revisions import verify


class Command(BaseCommand):
    help = "Recomputes a published revision from its snapshot and the positions; exit code 1 when it differs."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")
        parser.add_argument("--stage", metavar="NAME", help="of this stage (default: of the event)")
        parser.add_argument("--number", type=int, help="revision number (default: the latest)")

    def handle(self, *args: Any, **options: Any) -> None:
        event = event_of(options["event"])
        stage = stage_of(event, options["stage"]) if options["stage"] else None
        revisions = ResultRevision.objects.filter(event=event, stage=stage).order_by("-number")
        if options["number"] is not None:
            revisions = revisions.filter(number=options["number"])
        revision = revisions.first()
        if revision is None:
            raise CommandError("no such revision has been published")
        faults = verify(revision)
        if faults:
            raise CommandError(f"{revision} cannot be relied on:\n  " + "\n  ".join(faults))
        lines = len(revision.snapshot["results"])
        self.stdout.write(f"{revision}: {lines} lines recomputed to the same. SHA-256 {revision.hash}")
        for erasure in revision.erasures:
            self.stdout.write(f"names erased {erasure['at']}: SHA-256 since then {erasure['became']}")
