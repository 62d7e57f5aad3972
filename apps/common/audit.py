"""Who acts: told to PostgreSQL with every write, for the triggers of sql/530_audit.sql.

Doors (the middleware, commands, workers, sockets) say it with `acting`; a hook on the connection puts it in front
of each writing statement as `SET LOCAL trm.actor`, in the same message: no round trip more, nothing for reads. The
setting ends with the transaction and every write says it anew, so no state can be stale, with a connection pool,
savepoints and rollbacks alike. COPY and cursors that are not Django's are told by `announce`.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import psycopg
from django.db import connection as default_connection
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg import sql

SETTING = "trm.actor"
# Comments, then a word that writes. It may be said once too often: that does no harm.
WRITES = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
    r"(?:insert|update|delete|merge|truncate|do|with\b(?=.*\b(?:insert|update|delete|merge)))\b",
    re.IGNORECASE | re.DOTALL,
)
Person = Any  # a user, AnonymousUser or None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes rows, by which door (admin, rest, page, a command's name, scorer…) and why.

    `user` is asked at each write, not before: a request that only reads never loads its user for the audit.
    """

    door: str
    user: Callable[[], Person]
    who: str = ""
    reason: str = ""


def _nobody() -> None:
    return None


_current: ContextVar[Actor | None] = ContextVar("trm_actor", default=None)
_process: list[Actor] = []  # at most one: what holds where no context says otherwise, in every thread


@contextmanager
def acting(door: str, user: Person = None, *, who: str = "", reason: str = "") -> Iterator[None]:
    """Within it, writes of this thread or task are by this door, user and reason.

    `user` is a user, or a function that gives one; `who` names an actor that is no user of TRM.
    """
    ask = user if callable(user) else lambda: user
    token = _current.set(Actor(door, ask, who, reason))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def because(reason: str) -> Iterator[None]:
    """Within it, the reason of every write is this one, if it is one; user and door stay what they are."""
    if not reason:
        yield
        return
    actor = current() or Actor("sql", _nobody)
    token = _current.set(replace(actor, reason=reason))
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Actor | None:
    """Who acts here, None when nobody has said."""
    return _current.get() or (_process[0] if _process else None)


def process_acts(door: str, who: str) -> None:
    """This process, in all its threads, acts by this door unless a context says otherwise. For manage.py."""
    _process[:] = [Actor(door, _nobody, who)]


def announce(connection: BaseDatabaseWrapper = default_connection) -> None:
    """Say who acts, for the rest of the transaction: needed before COPY and cursors that are not Django's.

    Raises TransactionManagementError outside of a transaction, where it would be forgotten at once.
    """
    connection.validate_no_broken_transaction()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("announce() holds for one transaction: begin one before it")
    with connection.cursor() as cursor:
        cursor.execute(_statement())


def last_line() -> int | None:
    """The id of what the audit wrote last in this transaction, None where it wrote nothing: for "take it back"."""
    with default_connection.cursor() as cursor:
        cursor.execute(
            "select max(id) from audit_log where transaction_id = pg_current_xact_id_if_assigned()::text::bigint"
        )
        found: int | None = cursor.fetchone()[0]
    return found


def install() -> None:
    """Put the hook on every connection Django opens. Once, when the apps are ready."""
    connection_created.connect(_hook, dispatch_uid="trm_audit")


def _hook(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    # First in the list: a `with connection.execute_wrapper(...)` that opens the connection pops the last.
    if connection.vendor == "postgresql" and _tell not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _tell)


def _tell(execute: Callable[..., Any], query: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Execute wrapper: in front of a write, say who acts."""
    cursor = context["cursor"].cursor
    text = query if isinstance(query, str) else query.as_string(cursor)
    if not WRITES.match(text):
        return execute(query, params, many, context)
    if many or not isinstance(cursor, psycopg.ClientCursor):
        return _tell_apart(execute, query, params, many, context)
    prefix = _statement()
    done = execute((prefix if params is None else prefix.replace("%", "%%")) + text, params, many, context)
    cursor.nextset()  # the first result is the setting's
    return done


def _tell_apart(execute: Callable[..., Any], query: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Where a statement must travel alone: say it before, in the same transaction."""
    with transaction.atomic(context["connection"].alias, savepoint=False):
        announce(context["connection"])
        return execute(query, params, many, context)


def _statement() -> str:
    actor = current()
    if actor is None:
        return _rendered("", "", "", "")
    user, who = _person(actor)
    return _rendered(user, who or actor.who, actor.door, actor.reason)


def _person(actor: Actor) -> tuple[str, str]:
    """(id, e-mail) of the user, both empty for none. Asking may load a session, which may write: that is no user's."""
    token = _current.set(replace(actor, user=_nobody))
    try:
        user = actor.user()
        key = getattr(user, "pk", None)
        return (str(key), user.get_username()) if key is not None else ("", "")
    finally:
        _current.reset(token)


@lru_cache(maxsize=256)
def _rendered(user: str, who: str, door: str, reason: str) -> str:
    """The statement that says it; empty parts are left to the trigger."""
    parts = {"user": user, "who": who, "door": door, "reason": reason}
    told = {name: _storable(value) for name, value in parts.items() if value}
    return f"SET LOCAL {SETTING} TO {sql.quote(json.dumps(told) if told else '')}; "


def _storable(text: str) -> str:
    """Without what jsonb refuses: NUL and lone surrogates, which a client can put into a header."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
