"""manage.py export_archive"""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.archive.writing import ArchiveError, export
from apps.scoring.management.arguments import event_of


class Command(BaseCommand):
    help = "Writes an event with all its evidence, and its people, to one file for another machine or another year."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")
        parser.add_argument("file", type=Path, help="a new file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            written = export(event_of(options["event"]), options["file"])
        except ArchiveError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['file']}: {written.rows} rows and {written.positions} positions.")
