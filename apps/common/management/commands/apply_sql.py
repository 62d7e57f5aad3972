"""manage.py apply_sql"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from apps.common.sql import Phase, SqlFileError, apply_sql, is_migrated


class Command(BaseCommand):
    help = "Apply the files of sql/: below 500 always, the others once every migration is applied."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._apply(Phase.BEFORE_MIGRATE)
            if is_migrated():
                self._apply(Phase.AFTER_MIGRATE)
            else:
                self.stdout.write("Migrations are waiting: run migrate, then apply_sql again.")
        except (SqlFileError, OperationalError) as error:
            raise CommandError(str(error)) from error

    def _apply(self, phase: Phase) -> None:
        for path in apply_sql(phase):
            self.stdout.write(f"applied {path.name}")
