"""manage.py backup"""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from apps.common.dump import DumpError, backup


class Command(BaseCommand):
    help = "Writes the whole database to a file, as it is at one moment, by pg_dump. TRM may go on meanwhile."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a new file; keep it where this machine's end is not its end")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            size = backup(path)
        except (DumpError, OperationalError) as error:
            raise CommandError(str(error).strip()) from error
        self.stdout.write(f"{path}: {size / 1_000_000:.1f} MB, and its table of contents can be read.")
