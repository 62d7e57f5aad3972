"""Shows, applies, checks and exports the rules of an event."""

import argparse
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import User
from apps.common import stream
from apps.events.models import Event
from apps.penalties.checklist import open_settings
from apps.penalties.profiles.files import dumps, load_file, load_shipped, shipped
from apps.penalties.profiles.merging import Change
from apps.penalties.profiles.schema import Profile, RulesError
from apps.penalties.profiles.store import Wish, apply_rules, export_rules

SIGNS = {"added": "+", "changed": "~", "removed": "-"}
HELP = """Applies a rule profile or file to an event, exports its rules, or says what is still open.

Merging (the default) puts each table of the file (type, target, class or zone) in place of the event's table of that
name and leaves the others; --replace leaves only the file's tables, radii and answers. Settings of the event that the
file does not give stay as they are. Afterwards the rows are the event's own."""


class Command(BaseCommand):
    help = HELP

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("event", nargs="?", help="slug of the event, or organization/event")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--profile", metavar="NAME", help="apply a shipped profile")
        what.add_argument("--load", type=Path, metavar="FILE", help="apply a .yaml, .yml or .json file")
        what.add_argument("--export", type=Path, metavar="FILE", help="write the event's rules to such a file")
        what.add_argument("--check", action="store_true", help="list what is open; fails while that forbids publishing")
        what.add_argument("--list-profiles", action="store_true", help="list the shipped profiles")
        parser.add_argument("--dry-run", action="store_true", help="show the difference, write nothing")
        parser.add_argument("--replace", action="store_true", help="in place of all rules of the event")
        parser.add_argument("--force", action="store_true", help="although results are official; needs --reason")
        parser.add_argument("--reason", default="", help="why, kept with the profile's use")
        parser.add_argument("--author", metavar="EMAIL", help="who applies it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._do(options)
        except RulesError as error:
            raise CommandError(f"{error}\nnothing is changed") from error

    def _do(self, options: dict[str, Any]) -> None:
        if options["list_profiles"]:
            self._list()
            return
        event = _event(options["event"])
        if options["check"]:
            self._check(event)
        elif options["export"]:
            self._export(event, options["export"])
        else:
            profile = load_shipped(options["profile"]) if options["profile"] else load_file(options["load"])
            self._apply(event, profile, _wish(options))

    def _list(self) -> None:
        for name, path in shipped().items():
            profile = load_file(path)
            open_rules = sum(rule.penalty is None for rule in profile.formulas)
            self.stdout.write(f"{name:<16}{profile.version:<6}{profile.title}; {open_rules} rules without a value")

    def _check(self, event: Event) -> None:
        found = open_settings(event)
        for one in found:
            self.stdout.write(f"{'blocks' if one.blocking else 'open':<8}{one.number:>2}  {one.sentence}")
        blocking = sum(one.blocking for one in found)
        if blocking:
            raise CommandError(f"{event}: {blocking} of {len(found)} open settings forbid publishing")
        self.stdout.write(f"{event}: {len(found)} open settings, none forbids publishing.")

    def _export(self, event: Event, path: Path) -> None:
        data = dumps(export_rules(event), path.suffix)
        try:
            path.write_bytes(data)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        self.stdout.write(f"{event}: rules written to {path}.")

    def _apply(self, event: Event, profile: Profile, wish: Wish) -> None:
        changes = apply_rules(event, profile, wish)
        self._show(changes)
        did = "would be applied" if wish.dry_run else "applied"
        self.stdout.write(f"{event}: {profile.name} {profile.version} {did}, {len(changes)} changes.")
        if changes and not wish.dry_run:
            _tell_scorers(event)

    def _show(self, changes: list[Change]) -> None:
        for change in changes:
            self.stdout.write(f"{SIGNS[change.kind]} {change}")


def _wish(options: dict[str, Any]) -> Wish:
    if options["force"] != bool(options["reason"].strip()):
        raise CommandError("--force and --reason go together")
    return Wish(options["replace"], _author(options["author"]), options["reason"], options["dry_run"])


def _author(email: str | None) -> User | None:
    if email is None:
        return None
    user = User.objects.filter(email=email).first()
    if user is None:
        raise CommandError(f"--author: no user has the address {email!r}")
    return user


def _event(given: str | None) -> Event:
    if given is None:
        raise CommandError("name the event")
    organization, _, slug = given.rpartition("/")
    wanted = Event.objects.filter(slug=slug)
    events = list(wanted.filter(organization__slug=organization) if organization else wanted)
    if len(events) == 1:
        return events[0]
    known = ", ".join(f"{o}/{s}" for o, s in Event.objects.values_list("organization__slug", "slug")) or "none"
    raise CommandError(f"{len(events)} events are called {given!r}; there are: {known}")


def _tell_scorers(event: Event) -> None:
    try:
        stream.request(stream.connect(settings.REDIS_URL), "rules", event_id=str(event.id))
    except redis.RedisError as error:
        raise CommandError(f"applied, but Redis did not take the request to score again: {error}") from error
