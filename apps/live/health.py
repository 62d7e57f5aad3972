"""The web process's probes (contracts §5); commands have the same two on METRICS_PORT."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

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
