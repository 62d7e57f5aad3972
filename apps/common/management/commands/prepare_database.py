"""manage.py prepare_database"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from apps.common.sql import SqlFileError, prepare_database


class Command(BaseCommand):
    help = "Bring the database to what this code needs: apply_sql, migrate, apply_sql. Idempotent."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            prepare_database(verbosity=options["verbosity"])
        except (SqlFileError, OperationalError) as error:
            raise CommandError(str(error)) from error
