"""manage.py seed_command_texts"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.catalog.domain.seeds import SeedError
from apps.commands.allowed import seed_command_texts


class Command(BaseCommand):
    help = "Allow the harmless commands the makers publish where they are missing; what was edited is kept. Idempotent."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = seed_command_texts()
        except SeedError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{done.made} made, {done.there} there already")
