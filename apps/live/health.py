"""The web process's probes and figures (contracts §5); commands have the same three on METRICS_PORT."""

from ipaddress import ip_address

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from apps.common.health import not_ready

log = structlog.get_logger(__name__)

PLAIN = "text/plain; charset=utf-8"


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok\n", content_type=PLAIN)


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when Redis and PostgreSQL answer, else 503.

    The reason is for the log alone: this port is the public's, and the reason names hosts and users.
    """
    if reason := not_ready():
        log.warning("not ready", reason=reason)
        return HttpResponse("not ready\n", status=503, content_type=PLAIN)
    return HttpResponse("ok\n", content_type=PLAIN)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus's figures of this process, to callers on this machine alone, as METRICS_PORT gives them.

    404 to all others, and to whatever came through a proxy: this port is the public's.
    """
    if not _is_local(request):
        return HttpResponse("not found\n", status=404, content_type=PLAIN)
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_VIA")


def _is_local(request: HttpRequest) -> bool:
    """Whether the caller itself sits at the loopback address: behind a proxy it is the proxy that does."""
    try:
        caller = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return caller.is_loopback and not any(name in request.META for name in FORWARDED)
