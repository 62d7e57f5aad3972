"""Requests say by which door, by whom and why rows are changed."""

from collections.abc import Callable
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponseBase

from apps.common.audit import acting

REASON_HEADER = "TRM-Reason"  # percent-encoded, so that it may say "për arsye…"
DOORS = (("/admin/", "admin"), ("/api/", "rest"))


class AuditDoor:
    """Middleware: every write of a request is by its door and its user, whoever that is when it writes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        reason = unquote(request.headers.get(REASON_HEADER, "")).strip()
        # Asked at each write: a token names the user later than this middleware, and signing in changes it.
        with acting(door(request.path), lambda: getattr(request, "user", None), reason=reason):
            return self._get_response(request)


def door(path: str) -> str:
    return next((name for prefix, name in DOORS if path.startswith(prefix)), "page")
