"""The door of the live channel: who may follow what, when they ask and for as long as they listen."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser

from apps.accounts.models import User
from apps.accounts.policy import may_view_event
from apps.course.models import Stage
from apps.events.models import Event
from apps.live.protocol import Code, Fault, Topic

SESSION_ENDED = 4401
RIGHT_LOST = 4403


def admit(user: User | AnonymousUser, topic: Topic) -> None:
    """Return where `user` may follow `topic`; else raise Fault, `not-found` or `forbidden`."""
    event = Event.objects.filter(id=topic.event).first()
    if event is None:
        raise Fault(Code.NOT_FOUND, "no such event")
    if not may_view_event(user, event):
        raise Fault(Code.FORBIDDEN, "this event is not public")
    if topic.stage and not Stage.objects.filter(id=topic.stage, event=event).exists():
        raise Fault(Code.NOT_FOUND, "this event has no such stage")


@dataclass(frozen=True, slots=True)
class Right:
    """What a socket relies on: its session (None: a spectator without account) and the event it follows."""

    session: str | None
    event: str


def lost(rights: Iterable[Right]) -> dict[Right, int]:
    """The rights that are no more, with the close code that says why."""
    rights = set(rights)
    users = {key: _user_of(key) for key in {right.session for right in rights if right.session}}
    events = {str(id): event for id, event in Event.objects.in_bulk({right.event for right in rights}).items()}
    codes = {right: _code(users.get(right.session or "", AnonymousUser()), events, right) for right in rights}
    return {right: code for right, code in codes.items() if code}


def _code(user: User | AnonymousUser, events: dict[str, Event], right: Right) -> int:
    if right.session and not user.is_authenticated:
        return SESSION_ENDED
    event = events.get(right.event)
    return 0 if event and may_view_event(user, event) else RIGHT_LOST


def _user_of(session_key: str) -> User | AnonymousUser:
    """Whose session it is now: logging out, expiry, a new password and deactivation all end it."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return get_user(cast(Any, SimpleNamespace(session=session)))
