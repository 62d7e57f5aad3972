"""Content-Security-Policy: what a page may load and run. Strict everywhere but under /admin/."""

from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponseBase

STRICT = "; ".join(
    (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# A map draws on images it makes itself, and its library's own style sheet has some as data:.
MAP = f"{STRICT}; worker-src 'self'; img-src 'self' data: blob:"
# Widgets of the admin set styles and draw with data: images.
ADMIN = f"{STRICT}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


def framed(policy: str, origins: Sequence[str]) -> str:
    """The policy of a page that these origins may show in a frame; none of them, and nobody may."""
    return policy.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(origins)}") if origins else policy


class ContentSecurityPolicy:
    """Middleware. A view that needs another policy sets the header itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        policy = ADMIN if request.path.startswith("/admin/") else STRICT
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
