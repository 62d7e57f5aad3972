"""Erasing a person: name, phone, e-mail and birth date become a pseudonym wherever TRM keeps them; results stay.

A published revision keeps its lines and the hash it was published with. Its names are replaced, and the revision keeps
the digests before and since (`erasures`), so that it still verifies, and everybody sees that and when it was done.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from apps.accounts.models import User
from apps.archive.personal import FREE_TEXTS
from apps.common import audit
from apps.scoring import snapshot
from apps.scoring.models import ResultRevision
from apps.timing.models import StartList

SEPARATOR = " / "  # between the members of a crew (apps/scoring/printed.py, start_lists.py)
# The entries whose crew the person is or ever was.
ENTRIES = """
    select entry_id::text from entry_crew where user_id = %(user)s
    union select coalesce(new, old) ->> 'entry_id' from audit_log
    where table_name = 'entry_crew' and coalesce(new, old) ->> 'user_id' = %(user)s::text
"""
RUNNING = """
    select distinct e.slug from entry_crew c join entries n on n.id = c.entry_id join events e on e.id = n.event_id
    where c.user_id = %s and e.ends_at > now()
"""
FORMER_NAMES = """
    select trim(concat(new ->> 'first_name', ' ', new ->> 'last_name')), new ->> 'email' from audit_log
    where table_name = 'users' and row_id = %s and action = 'insert'
"""
LOGGED = """
    select id, old, new from audit_log
    where (table_name = 'users' and row_id = %(user)s) or table_name in ('result_revisions', 'start_lists')
"""


class ErasureError(Exception):
    """A person cannot be erased now; the message says why."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done. `mentions` are free texts that hold the name: table, column and row."""

    pseudonym: str
    revisions: int
    start_lists: int
    log_lines: int
    mentions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Person:
    """Who is erased: all names and addresses known of it, and the entries whose crew it was."""

    user: User
    pseudonym: str
    names: frozenset[str]
    emails: frozenset[str]
    entries: frozenset[str]

    @property
    def address(self) -> str:
        return f"erased-{self.user.pk}@no-address.invalid"

    def fields(self) -> dict[str, Any]:
        first, _, last = self.pseudonym.partition(" ")
        return {"first_name": first, "last_name": last, "email": self.address, "phone": "", "birth_date": None}

    def crew(self, entry: str, text: str) -> str:
        """A crew as it is printed, without this person's name."""
        if entry not in self.entries:
            return text  # a namesake
        return SEPARATOR.join(self.pseudonym if name in self.names else name for name in text.split(SEPARATOR))


def erase(user: User, reason: str) -> Erased:
    """Replace the person's data everywhere, in one transaction. Raises ErasureError while an event of theirs runs."""
    with transaction.atomic(), audit.acting("erase_person", reason=reason), connection.cursor() as cursor:
        user = User.objects.select_for_update().get(pk=user.pk)
        cursor.execute(RUNNING, [user.pk])
        if running := ", ".join(slug for (slug,) in cursor.fetchall()):
            raise ErasureError(f"{user.email} rides in {running}, which is not over: the officials need to reach them")
        person = _person(cursor, user)
        mentions = tuple(_mentions(cursor, person))
        cursor.execute("set local trm.erasing = 'on'")
        revisions = sum(_revision(person, one) for one in ResultRevision.objects.order_by("id").iterator(20))
        lists = sum(_start_list(person, one) for one in StartList.objects.order_by("id").iterator(20))
        _account(person)
        lines = _log(cursor, person)  # last: what was done above is in it, with the names
    return Erased(person.pseudonym, revisions, lists, lines, mentions)


def _person(cursor: Any, user: User) -> _Person:
    cursor.execute(ENTRIES, {"user": user.pk})
    entries = frozenset(entry for (entry,) in cursor.fetchall() if entry)
    cursor.execute(FORMER_NAMES, [str(user.pk)])
    former = cursor.fetchall()
    return _Person(
        user=user,
        pseudonym=f"Person {str(user.pk)[:8]}",
        names=frozenset({user.get_full_name(), *(name for name, _ in former)} - {""}),
        emails=frozenset({user.email, *(email for _, email in former)}),
        entries=entries,
    )


def _mentions(cursor: Any, person: _Person) -> list[str]:
    found = []
    holds = "select id from {} where exists (select from unnest(%s::text[]) w where strpos({}::text, w) > 0)"
    for table, column in [(table, column) for table, columns in FREE_TEXTS.items() for column in columns]:
        cursor.execute(holds.format(table, f'"{column}"'), [[*person.names, *person.emails]])
        found += [f"{table} {id}: {column}" for (id,) in cursor.fetchall()]
    return found


def _revision(person: _Person, revision: ResultRevision) -> bool:
    was = snapshot.digest(revision.snapshot)
    if not _unnamed(revision.snapshot, person):
        return False
    told = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "was": was}
    revision.erasures = [*revision.erasures, told | {"became": snapshot.digest(revision.snapshot)}]
    revision.save(update_fields=["snapshot", "erasures"])
    return True


def _start_list(person: _Person, made: StartList) -> bool:
    changed = _unlisted(made.rows, person)
    if changed:
        made.save(update_fields=["rows"])
    return changed


def _unnamed(content: Any, person: _Person) -> bool:
    """Replace the name in a snapshot; whether it was there."""
    entries = (content.get("printed") or {}).get("entries") or {}
    return _replaced([(id, entry) for id, entry in entries.items()], person)


def _unlisted(rows: Any, person: _Person) -> bool:
    """Replace the name in the rows of a start list; whether it was there."""
    return _replaced([(str(row.get("entry")), row) for row in rows], person)


def _replaced(lines: list[tuple[str, dict[str, Any]]], person: _Person) -> bool:
    changed = False
    for entry, line in lines:
        crew = person.crew(entry, line.get("crew") or "")
        changed |= crew != (line.get("crew") or "")
        line["crew"] = crew
    return changed


def _account(person: _Person) -> None:
    """The account: no data, no password, no way in, no answers kept for it."""
    user = person.user
    for name, value in person.fields().items():
        setattr(user, name, value)
    user.is_active = user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.save()
    with connection.cursor() as cursor:
        cursor.execute("delete from api_tokens where user_id = %s", [user.pk])
        cursor.execute("delete from idempotency_keys where user_id = %s", [user.pk])
        for name in person.names:
            # Frames of past boards: a namesake in the same frame goes too; no board is drawn from them again.
            cursor.execute(
                "update outbox set payload = replace(payload::text, %s, %s)::jsonb where strpos(payload::text, %s) > 0",
                [name, person.pseudonym, name],
            )
            cursor.execute(
                "update django_admin_log set object_repr = replace(object_repr, %s, %s)", [name, person.pseudonym]
            )


def _log(cursor: Any, person: _Person) -> int:
    """The audit log: what it says stays, of whom goes. Only its owner can, and only by saying so; see sql/530."""
    cursor.execute("alter table audit_log disable trigger audit_log_append_only")
    cursor.execute(LOGGED, {"user": str(person.user.pk)})
    changed = 0
    for id, old, new in [(id, _read(old), _read(new)) for id, old, new in cursor.fetchall()]:
        if _scrubbed(old, person) | _scrubbed(new, person):
            cursor.execute(
                "update audit_log set old = %s, new = %s where id = %s",
                [None if old is None else json.dumps(old), None if new is None else json.dumps(new), id],
            )
            changed += 1
    cursor.execute(
        "update audit_log set who = %s where user_id = %s or who = any(%s)",
        [person.address, person.user.pk, list(person.emails)],
    )
    cursor.execute("alter table audit_log enable always trigger audit_log_append_only")
    return changed


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _scrubbed(row: dict[str, Any] | None, person: _Person) -> bool:
    """Replace what a logged row says of the person; whether it said anything."""
    if row is None:
        return False
    parts: list[tuple[str, Callable[[Any, _Person], bool]]] = [("snapshot", _unnamed), ("rows", _unlisted)]
    changed = [act(row[name], person) for name, act in parts if isinstance(row.get(name), dict | list)]
    told = {name: value for name, value in person.fields().items() if name in row and row[name] != value}
    row.update(told)
    return any(changed) or bool(told)
