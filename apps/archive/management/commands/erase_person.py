"""manage.py erase_person"""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import User
from apps.archive.erasure import ErasureError, erase


class Command(BaseCommand):
    help = "Replaces a person's name, phone, e-mail and birth date by a pseudonym everywhere; their results stay."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="whose data")
        parser.add_argument("--reason", required=True, help="who asked, and when; without names: it is kept")
        parser.add_argument("--yes", action="store_true", help="do not ask: there is no way back")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"nobody has the address {options['email']}")
        if not options["yes"] and input(f"Erase {user} for good? Their address again: ") != options["email"]:
            raise CommandError("not erased")
        try:
            done = erase(user, options["reason"])
        except ErasureError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.pseudonym}: erased from {done.revisions} revisions, {done.start_lists} start lists and "
            f"{done.log_lines} lines of the log. Backups and archives made before still hold the name."
        )
        for mention in done.mentions:
            self.stdout.write(f"the name may stand in {mention}: look at it")
