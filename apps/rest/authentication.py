"""Who asks: a token in the header, or the session of the admin's login."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication as DrfSessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.accounts.models import User
from apps.rest import tokens


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer trm_…`."""

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        scheme, _space, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        user = tokens.user_of(token.strip())
        if user is None:
            raise AuthenticationFailed(_("This token is unknown, has expired, or its user is suspended."))
        return user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="TRM"'


class SessionAuthentication(DrfSessionAuthentication):
    """The session cookie. Writes need the CSRF token in the header X-CSRFToken."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        inner: HttpRequest = request._request
        if not inner.COOKIES:  # no cookie, no session: not worth a look
            return None
        return super().authenticate(request)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the OpenAPI document of the header."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from POST /api/v1/tokens."}


class CookieScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
