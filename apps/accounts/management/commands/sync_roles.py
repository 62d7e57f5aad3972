"""Compares the mirror of roles in django-guardian with the memberships."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts import mirror


class Command(BaseCommand):
    help = "Compares groups and permissions with organization_users. The policy reads the latter whatever is found."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--check", action="store_true", help="say what differs; exit code 1 when anything does")
        how.add_argument("--fix", action="store_true", help="bring groups and permissions in step")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = mirror.repair() if options["fix"] else mirror.drift()
        for line in lines:
            self.stdout.write(line)
        if lines and options["check"]:
            raise CommandError(f"{len(lines)} differences. Repair them: manage.py sync_roles --fix")
        self.stdout.write(f"{len(lines)} repaired." if lines else "In step.")
