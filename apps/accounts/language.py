"""The language of an account: kept with it, so that an official has it on whatever machine they sign in."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.i18n import set_language

from apps.accounts.models import User


class OwnLanguage:
    """Middleware after authentication: the account's language goes before the cookie's and the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Visitors have no session: their pages are not to vary by a cookie because somebody looked for one.
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            chosen = getattr(request.user, "language", "")
            if translation.check_for_language(chosen) and chosen in dict(settings.LANGUAGES):
                translation.activate(chosen)
                request.LANGUAGE_CODE = chosen
        return self._get_response(request)


def choose(request: HttpRequest) -> HttpResponse:
    """A POST of `language`: kept with the account of who is signed in, and in a cookie for this browser."""
    chosen = request.POST.get("language", "")
    if request.method == "POST" and chosen in dict(settings.LANGUAGES) and request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).exclude(language=chosen).update(language=chosen)
    answer: HttpResponse = set_language(request)
    return answer
