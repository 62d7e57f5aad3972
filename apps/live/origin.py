"""A WebSocket may be opened by our own pages and by programs, not by other sites' pages."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

App = Callable[[Any, Any, Any], Awaitable[Any]]


class SameOrigin:
    """Refuses the upgrade with HTTP 403 unless Host is allowed and Origin, if any, names the same host and port.

    Browsers always send Origin and users cannot forge it; without one it is a program that chose its cookies
    itself, and there is nobody to protect.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        await (self._app if _is_ours(scope) else refuse)(scope, receive, send)


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that closes before accepting, which the server makes HTTP 403."""
    await receive()
    await send({"type": "websocket.close"})


async def refuse_with(status: int, receive: Any, send: Any) -> None:
    """Answer the upgrade with this HTTP status instead of accepting it."""
    await receive()
    challenge = [(b"www-authenticate", b"Bearer")] if status == 401 else []
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"0"), *challenge]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})


def _is_ours(scope: Mapping[str, Any]) -> bool:
    headers = {name: value.decode("latin1").lower() for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    # As for HTTP: a foreign name that was made to point at this server must not count as our origin.
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return False
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin).netloc == host
