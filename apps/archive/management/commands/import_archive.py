"""manage.py import_archive"""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.archive.reading import read
from apps.archive.writing import ArchiveError
from apps.common import stream


class Command(BaseCommand):
    help = "Imports an event from a file of export_archive, computes its results anew and compares; all or nothing."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what `manage.py export_archive` wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = read(options["file"])
        except (ArchiveError, ValueError) as error:
            raise CommandError(str(error)) from error
        with stream.connect(settings.REDIS_URL) as client:
            stream.tell(client, done.topics)
        self.stdout.write(
            f"{done.slug}: {done.rows} rows and {done.positions} positions; {done.results} results and "
            f"{done.revisions} revisions computed anew, all to the same hashes."
        )
