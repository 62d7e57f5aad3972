"""Scores what has been driven again, from the fixes up."""

import argparse
import time
from collections.abc import Iterator
from typing import IO, Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from apps.common import stream
from apps.scoring import queries
from apps.scoring.management.arguments import entry_of, event_of, stage_of
from apps.scoring.management.workers import ACTS, BULK, spread
from apps.scoring.services import ENTRIES_AT_ONCE, Again, score_again

TASK = "apps.scoring.tasks.rescore"


class Command(BaseCommand):
    help = "Scores an event again from its fixes: all of it, a stage, or one entry. Live scoring goes on meanwhile."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")
        parser.add_argument("--stage", metavar="NAME", help="one stage only")
        parser.add_argument("--entry", type=int, metavar="NUMBER", help="one race number only")
        parser.add_argument(
            "--workers",
            action="store_true",
            help="spread over Celery's workers: one stage or entry by the queue acts, all of it by bulk",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        event = event_of(options["event"])
        stage = str(stage_of(event, options["stage"]).id) if options["stage"] else ""
        one = options["entry"]
        entries = [str(entry_of(event, one).id)] if one is not None else queries.event_entries(str(event.id))
        again = Again(str(event.id), tuple(entries), stage)
        begin = time.monotonic()
        queue = ACTS if stage or one is not None else BULK
        self._follow(_by_workers(again, queue) if options["workers"] else _here(again), len(entries))
        self.stdout.write(f"{len(entries)} entries of {event.name} scored again in {time.monotonic() - begin:.1f} s.")

    def _follow(self, progress: Iterator[int], total: int) -> None:
        """Show how many are done; nothing where nobody looks on."""
        with Progress(console=Console(file=cast(IO[str], self.stderr)), transient=True) as bar:
            task = bar.add_task("entries", total=total)
            try:
                for done in progress:
                    bar.update(task, completed=done)
            except ValueError as error:
                raise CommandError(f"the course cannot be read: {error}") from error


def _here(again: Again) -> Iterator[int]:
    with stream.connect(settings.REDIS_URL) as client:
        for done, topics in score_again(again):
            stream.tell(client, topics)
            yield done


def _by_workers(again: Again, queue: str) -> Iterator[int]:
    """Spread the entries over whoever works the queue. Raises CommandError when nobody does, or a part failed."""
    parts = [again.entries[n : n + ENTRIES_AT_ONCE] for n in range(0, len(again.entries), ENTRIES_AT_ONCE)]
    calls = [[again.event, list(part), again.stage] for part in parts]
    return (sum(done) for done in spread(TASK, calls, queue))
