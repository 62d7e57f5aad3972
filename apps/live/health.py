"""The web process's probes (contracts §5); commands have the same two on METRICS_PORT."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.common.health import not_ready

PLAIN = "text/plain; charset=utf-8"


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok\n", content_type=PLAIN)


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when Redis and PostgreSQL answer, else 503 and the reason."""
    reason = not_ready()
    return HttpResponse(f"{reason or 'ok'}\n", status=503 if reason else 200, content_type=PLAIN)
