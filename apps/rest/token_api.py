"""Signing in: a token for a program, and who one is."""

from typing import Any
from uuid import UUID

from django.contrib.auth import authenticate
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from apps.accounts.models import User
from apps.accounts.rights import rights_of
from apps.rest import tokens
from apps.rest.answers import answer
from apps.rest.models import ApiToken
from apps.rest.serializers import Text, Whole
from apps.rest.views import ApiView


class SignIn(serializers.Serializer[Any]):
    email = Text(max_length=254)
    password = Text(max_length=200, trim_whitespace=False)
    name = Text(max_length=100, default="", allow_blank=True, help_text="What the token is used for.")
    days = Whole(min_value=1, max_value=tokens.MOST_DAYS, default=tokens.DAYS)


class TokenMade(serializers.Serializer[Any]):
    token = Text(help_text="Shown this once: send it as `Authorization: Bearer …`.")
    expires_at = serializers.DateTimeField()
    id = serializers.UUIDField()


class TokenShown(serializers.ModelSerializer[ApiToken]):
    class Meta:
        model = ApiToken
        fields = ("id", "name", "created_at", "expires_at")


class TokenList(serializers.Serializer[Any]):
    results = TokenShown(many=True)


class Me(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    superuser = serializers.BooleanField()
    roles = serializers.DictField(child=Text(), help_text="Organization → role.")


class Tokens(ApiView):
    """Tokens of one's own. A failed sign-in counts: too many lock the account for this address a while."""

    serializer_class = SignIn
    public = frozenset({"create"})

    @extend_schema(request=SignIn, responses={201: TokenMade}, operation_id="tokens_create")
    def create(self, request: Request) -> HttpResponse:
        given = SignIn(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        user = authenticate(request._request, username=data["email"], password=data["password"])
        if not isinstance(user, User):
            raise AuthenticationFailed(_("E-mail and password do not belong together."))
        row, token = tokens.make(user, data["name"], data["days"])
        return answer({"id": row.id, "token": token, "expires_at": row.expires_at}, 201, {"Cache-Control": "no-store"})

    @extend_schema(responses={200: TokenList}, operation_id="tokens_list")
    def list(self, request: Request) -> HttpResponse:
        rows = ApiToken.objects.filter(user_id=_known(request).pk)
        return answer({"results": list(rows.values("id", "name", "created_at", "expires_at"))})

    @extend_schema(
        responses={204: None},
        operation_id="tokens_destroy",
        parameters=[OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)],
    )
    def destroy(self, request: Request, pk: str) -> HttpResponse:
        """End a token at once, also the one this request came with."""
        mine = ApiToken.objects.filter(user_id=_known(request).pk)
        mine.filter(pk=_uuid(pk)).delete()
        return HttpResponse(status=204)


class Whoami(ApiView):
    serializer_class = Me

    @extend_schema(responses={200: Me}, operation_id="me")
    def list(self, request: Request) -> HttpResponse:
        """Who asks, and with what rights."""
        user = _known(request)
        rights = rights_of(user)
        roles = {str(organization): role for organization, role in rights.roles.items()}
        return answer({"id": user.pk, "email": user.email, "superuser": rights.superuser, "roles": roles})


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def _known(request: Request) -> User:
    if not isinstance(request.user, User):
        raise NotAuthenticated()
    return request.user
