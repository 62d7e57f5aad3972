"""What somebody is told who tried too many passwords (django-axes counts them, at every door)."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from apps.rest.problems import problem

WORDS = gettext_lazy("Too many attempts to sign in. Try again later.")


def locked_out(request: HttpRequest, *_response: Any, **_credentials: Any) -> HttpResponse:
    if request.path.startswith("/api/"):
        answer = problem(HTTPStatus.TOO_MANY_REQUESTS, WORDS)
    else:
        answer = HttpResponse(WORDS, status=HTTPStatus.TOO_MANY_REQUESTS, content_type="text/plain; charset=utf-8")
    answer.headers["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    return answer
