"""manage.py restore"""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from apps.common.dump import DumpError, restore
from apps.common.sql import SqlFileError


class Command(BaseCommand):
    help = "Fills an empty database from a file of `backup`, all or nothing, and brings it to what this code needs."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what `manage.py backup` wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restore(options["file"])
        except (DumpError, SqlFileError, OperationalError) as error:
            raise CommandError(str(error).strip()) from error
        self.stdout.write(f"{options['file']} is restored. Verify a revision: manage.py verify_revision EVENT")
