"""What a user is, read from `organization_users` when asked: never from a session, a group or a cached user object."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from apps.accounts import queries
from apps.accounts.models import User

AnyUser = User | AnonymousUser
T = TypeVar("T")


@dataclass(frozen=True)
class Rights:
    """A user's role in each organization. Nobody, a suspended user and a deleted one have none."""

    user_id: UUID | None
    superuser: bool
    roles: dict[UUID, str]

    @cached_property
    def entries(self) -> frozenset[UUID]:
        """The entries of whose crew the user is."""
        return frozenset(queries.entries_of_crew(self.user_id)) if self.user_id else frozenset()


NOBODY = Rights(None, False, {})

_memo: ContextVar[dict[UUID, Rights] | None] = ContextVar("rights", default=None)
# What was read of rows, where nothing is written meanwhile.
_seen: ContextVar[dict[Any, Any] | None] = ContextVar("seen", default=None)


def rights_of(user: AnyUser) -> Rights:
    """One query; within `remembering` one for each user."""
    if not user.is_authenticated:
        return NOBODY
    known = _memo.get()
    if known is None:
        return _read(user.pk)
    if user.pk not in known:
        known[user.pk] = _read(user.pk)
    return known[user.pk]


@contextmanager
def remembering(*, reading: bool = False) -> Iterator[None]:
    """Ask the database once for each user in this block: a request, or a pass over many sockets.

    `reading`: nothing is written in it, so that what `once` reads may be remembered as well.
    """
    token, seen = _memo.set({}), _seen.set({} if reading else None)
    try:
        yield
    finally:
        _memo.reset(token)
        _seen.reset(seen)


def once(key: Hashable, read: Callable[[], T]) -> T:
    """What `read` gives, read once within `remembering(reading=True)`, and at each call elsewhere."""
    known = _seen.get()
    if known is None:
        return read()
    if key not in known:
        known[key] = read()
    found: T = known[key]
    return found


def remember(user_id: UUID, rows: Sequence[queries.Membership]) -> None:
    """Take these memberships for the user's, where somebody has just read them with something else."""
    known = _memo.get()
    if known is not None:
        known[user_id] = _rights(user_id, rows)


def forget() -> None:
    """After a membership was written: what is remembered may be wrong."""
    known = _memo.get()
    if known is not None:
        known.clear()


class RememberRights:
    """Middleware: one look at the memberships for each request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with remembering(reading=request.method in ("GET", "HEAD")):
            return self._get_response(request)


def _read(user_id: UUID) -> Rights:
    return _rights(user_id, queries.memberships(user_id))


def _rights(user_id: UUID, rows: Sequence[queries.Membership]) -> Rights:
    if not rows:
        return NOBODY
    roles = {row.organization_id: row.role for row in rows if row.organization_id and row.role}
    return Rights(user_id, rows[0].superuser, roles)
