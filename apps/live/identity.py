"""Who opens a socket: a session, a token of the API, or nobody. Credentials that are no good get HTTP 401.

A token goes as `Authorization: Bearer <token>`, or, where a program cannot set headers, as the WebSocket subprotocol
`bearer.<token>` beside `trm.live`. Never in the address: addresses end up in logs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user
from django.contrib.auth.models import AnonymousUser
from django.db import Error

from apps.accounts.rights import AnyUser
from apps.live.origin import App, refuse_with
from apps.rest import tokens

SUBPROTOCOL = "trm.live"
BEARER_SUBPROTOCOL = "bearer."


@dataclass(frozen=True, slots=True)
class Identity:
    """What a client showed; both empty for a spectator without account."""

    session: str = ""
    token: str = ""


SPECTATOR = Identity()


def shown(scope: Mapping[str, Any]) -> Identity:
    """A token goes before a session: who sends one means it."""
    headers = {name: value.decode("latin1") for name, value in scope["headers"]}
    scheme, _, token = headers.get(b"authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Identity(token=token.strip() or "empty")
    for word in scope.get("subprotocols", ()):
        if word.startswith(BEARER_SUBPROTOCOL):
            return Identity(token=word.removeprefix(BEARER_SUBPROTOCOL))
    return Identity(session=_cookie(headers.get(b"cookie", "")))


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def user_of(identity: Identity) -> AnyUser | None:
    """Who that is now; None where the credentials are no good any more.

    Logging out, expiry, a new password and deactivation all end them.
    """
    if identity.token:
        return tokens.user_of(identity.token)
    if identity.session:
        return _user_of_session(identity.session)
    return AnonymousUser()


def _user_of_session(key: str) -> AnyUser | None:
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    named = SESSION_KEY in session  # loads it; a session that is gone loses its key
    if session.session_key is None:
        return None
    user = get_user(cast(Any, SimpleNamespace(session=session)))
    return None if named and not user.is_authenticated else user


class Identified:
    """Puts `identity` and `user` into the scope, or refuses: 401 for bad credentials, 503 without a database."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        identity = shown(scope)
        try:
            user = await _find(identity)
        except Error:
            await refuse_with(503, receive, send)
            return
        if user is None:
            await refuse_with(401, receive, send)
            return
        await self._app({**scope, "identity": identity, "user": user}, receive, send)


async def _find(identity: Identity) -> AnyUser | None:
    if identity == SPECTATOR:
        return AnonymousUser()
    found: AnyUser | None = await database_sync_to_async(user_of, thread_sensitive=False)(identity)
    return found
