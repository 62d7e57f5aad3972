"""Writes an event's positions, crossings, penalties and results as Parquet or CSV files."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.analytics.extract import Target, extract, folder
from apps.analytics.files import MissingExtraError
from apps.scoring.management.arguments import event_of


class Directory:
    """Files of a plain directory: CSV needs no library for that."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, name: str, content: bytes) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        (self._path / name).write_bytes(content)


class Command(BaseCommand):
    help = "Writes an event's positions, crossings, penalties and results as files, with a data dictionary."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")
        parser.add_argument("--to", required=True, metavar="DIRECTORY", help="a directory, or a URL such as s3://…")
        parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
        parser.add_argument("--with-devices", action="store_true", help="IMEIs too: they lead to persons")

    def handle(self, *args: Any, **options: Any) -> None:
        event = event_of(options["event"])
        try:
            target: Target = folder(options["to"]) if "://" in options["to"] else Directory(Path(options["to"]))
            for name, rows in extract(str(event.id), target, options["format"], devices=options["with_devices"]):
                self.stdout.write(f"{name}: {rows} rows")
        except (MissingExtraError, ValueError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['to']}: {error}") from error
