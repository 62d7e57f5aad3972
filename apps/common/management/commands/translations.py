"""Catalogues of all apps: `manage.py translations` renews them, `--check` says what is missing and changes nothing."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.translations.catalogues import languages, load, problems, renew


class Command(BaseCommand):
    help = "Renew the translations (.po and .mo of every app) from the sources, without gettext's tools."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; fail while anything is missing.")
        parser.add_argument("--missing", action="store_true", help="Print the texts without translation as JSON.")
        parser.add_argument("--new", type=Path, help="A JSON file with texts to fill in: English to translated.")

    def handle(self, *args: Any, **options: Any) -> None:
        for language in languages():
            if not options["check"]:
                new = json.loads(options["new"].read_text()) if options["new"] else None
                renew(load(language), language, new)
            if options["missing"]:
                texts = {text.id for one in load(language) for text in one.missing}
                self.stdout.write(json.dumps(dict.fromkeys(sorted(texts), ""), ensure_ascii=False, indent=1))
            elif wrong := list(problems(load(language), language)):
                raise CommandError("\n".join(wrong))
