"""manage.py seed_io_mappings"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.catalog.domain.seeds import SeedError
from apps.catalog.services import seed_io_mappings


class Command(BaseCommand):
    help = "Add the IO mappings the makers publish where they are missing; what was edited is kept. Idempotent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reset", action="store_true", help="bring edited mappings back to what is published")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = seed_io_mappings(reset=options["reset"])
        except SeedError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.made} made, {done.same} there already, {done.kept} edited and kept, {done.reset} reset"
        )
