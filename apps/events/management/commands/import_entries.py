"""Imports entries with vehicle, crew and trackers from a CSV or XLSX file, by race number."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.bulk import Change, Preview, Refused
from apps.common.sheets import Unreadable, read
from apps.events.entry_columns import names
from apps.events.entry_import import EntryImport
from apps.events.models import Event


class Command(BaseCommand):
    help = f"Imports entries: all rows of the file, or nothing. Columns: {', '.join(names())}."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event, or organization/slug")
        parser.add_argument("file", type=Path, help="CSV or XLSX")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and write nothing")
        parser.add_argument("--reason", default="", help="kept in the audit log; the name of the file without it")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        importer = EntryImport(_event(options["event"]), None)
        try:
            sheet = read(file.name, file.read_bytes())
            if options["dry_run"]:
                self._tell(importer.preview(sheet), file.name, "would be")
            else:
                self._tell(importer.run(sheet, options["reason"] or f"Import of {file.name}"), file.name, "are")
        except (OSError, Unreadable) as error:
            raise CommandError(str(error)) from error
        except Refused as refusal:
            raise CommandError(_refusal(file.name, Preview(problems=refusal.problems))) from refusal

    def _tell(self, preview: Preview, file: str, verb: str) -> None:
        if preview.problems:
            raise CommandError(_refusal(file, preview))
        for change in preview.writes:
            self.stdout.write(_line(change))
        counts = [f"{len(preview.of(kind))} {verb} {kind}" for kind in ("new", "changed")]
        self.stdout.write(f"{file}: {', '.join(counts)}; {len(preview.of('same'))} as before.")


def _line(change: Change) -> str:
    if change.before is None:
        return f"row {change.row}: {change.key} new"
    told = ", ".join(f"{one.field} {one.old or '–'} → {one.new or '–'}" for one in change.differences)
    return f"row {change.row}: {change.key} {told}"


def _refusal(file: str, preview: Preview) -> str:
    return "\n".join([f"{file}: nothing was imported.", *(f"  {problem}" for problem in preview.problems)])


def _event(slug: str) -> Event:
    organization, _, name = slug.rpartition("/")
    found = Event.objects.select_related("organization").filter(slug=name)
    events = list(found.filter(organization__slug=organization) if organization else found)
    if len(events) != 1:
        raise CommandError(f"{len(events)} events are called {slug!r}")
    return events[0]
