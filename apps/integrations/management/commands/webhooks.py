"""Shows webhooks and what waits for them; sends again; gives a new secret."""

import argparse
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, Q

from apps.integrations.models import Kind, Webhook
from apps.integrations.services import Stretch, renew_secret, replay

STATES = ("pending", "delivered", "given_up")


class Command(BaseCommand):
    help = "list: webhooks with their deliveries; replay: what happened, again; renew: a new secret, shown once."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list")
        again = acts.add_parser("replay")
        again.add_argument("webhook", help="name or id")
        again.add_argument("--since", type=_instant, required=True, metavar="TIME", help="ISO 8601; UTC if not said")
        again.add_argument("--until", type=_instant, default=datetime.max.replace(tzinfo=UTC), metavar="TIME")
        again.add_argument("--kind", action="append", default=[], choices=Kind.values)
        acts.add_parser("renew").add_argument("webhook", help="name or id")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] == "list":
            self._list()
        elif options["act"] == "renew":
            self.stdout.write(renew_secret(_webhook(options["webhook"])))
        else:
            stretch = Stretch(options["since"], options["until"], tuple(options["kind"]))
            self.stdout.write(f"{replay(_webhook(options['webhook']), stretch)} deliveries will be made again.")

    def _list(self) -> None:
        counts = {state: Count("deliveries", filter=Q(deliveries__state=state)) for state in STATES}
        for hook in Webhook.objects.select_related("organization", "event").annotate(**counts):
            told = ", ".join(f"{getattr(hook, state)} {state.replace('_', ' ')}" for state in STATES)
            of = hook.event.slug if hook.event else hook.organization.slug
            self.stdout.write(f"{hook.id}  {hook.name}  {of}  {'on' if hook.active else 'off'}  {told}")


def _webhook(text: str) -> Webhook:
    try:
        found = list(Webhook.objects.filter(Q(name=text) | Q(id=UUID(text))))
    except (ValueError, ValidationError):
        found = list(Webhook.objects.filter(name=text))
    if len(found) != 1:
        raise CommandError(f"{len(found)} webhooks are called {text!r}: `manage.py webhooks list` shows names and ids")
    return found[0]


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO 8601 time") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
