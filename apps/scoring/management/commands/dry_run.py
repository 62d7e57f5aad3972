"""Shows what a change of course, rules or decisions would do to the results, and writes nothing."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

import yaml
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from apps.penalties.domain.formulas import clock
from apps.scoring.changes import ChangeError, apply
from apps.scoring.dry_run import Difference, dry_run
from apps.scoring.management.arguments import event_of, official_of


class Command(BaseCommand):
    help = "Shows per entry what a change would do to times, penalties and ranks; writes nothing."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")
        parser.add_argument("change", nargs="?", type=Path, help="YAML or JSON (apps/scoring/changes.py says how)")
        parser.add_argument("--author", metavar="EMAIL", help="the official in whose name it would be done")
        parser.add_argument("--json", action="store_true", help="one object a changed line")

    def handle(self, *args: Any, **options: Any) -> None:
        event = event_of(options["event"])
        document = read(options["change"]) if options["change"] else {}
        author = official_of(options["author"]) if document else None
        try:
            found = dry_run(event, lambda: author and apply(event, document, author))
        except ChangeError as error:
            raise CommandError(f"{options['change']}: {error}") from error
        if options["json"]:
            for one in found:
                self.stdout.write(json.dumps({"number": one.race_number, "stage": one.stage, **_json(one)}))
        else:
            Console(file=cast(IO[str], self.stdout), highlight=False).print(
                table(found) if found else "Nothing would change."
            )


def read(path: Path) -> Any:
    """A YAML or JSON document. Raises CommandError naming file and place."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CommandError(f"{path}: {error}") from error


def table(found: Sequence[Difference]) -> Table:
    """One row a line that would change: old → new of what differs."""
    shown = Table("number", "where", "what would change", box=None)
    for one in found:
        words = [
            f"{_label(name)} {_word(name, old)} → {_word(name, new)}" for name, (old, new) in one.changes().items()
        ]
        shown.add_row(str(one.race_number), one.stage or "overall", ", ".join(words))
    return shown


def _label(name: str) -> str:
    return name.removesuffix("_ms").replace("_", " ")


def _word(name: str, value: Any) -> str:
    if value is None:
        return "–"
    return clock(value) if name.endswith("_ms") else str(value)


def _json(one: Difference) -> dict[str, Any]:
    return {"changes": {name: {"old": old, "new": new} for name, (old, new) in one.changes().items()}}
