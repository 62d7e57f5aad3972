"""Resources of `apps.accounts`, which lies below this app: people, organizations, memberships."""

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts import policy
from apps.accounts.comments import comment
from apps.accounts.models import Comment, Organization, OrganizationUser, Role, User
from apps.accounts.policy_table import SCOPES
from apps.accounts.services import memberships_changed, set_role, suspend
from apps.rest import writing
from apps.rest.loading import load
from apps.rest.registered import Registered
from apps.rest.serializers import serializer_for
from apps.rest.views import AddOnlyResource, ResourceViewSet


class Organizations(ResourceViewSet):
    model = Organization
    order = ("name",)
    search = ("name", "slug")


class Users(Registered):
    """Who is made here becomes a participant of the organization, and so can be put into crews: no more than that.

    Passwords are set in the admin; a user made here signs in once they have one.
    """

    asked = User
    model = User
    order = ("last_name", "first_name")
    search = ("first_name", "last_name", "email")
    read_only = frozenset({"is_staff"})
    example_change = {"phone": "+355 69 123 4567"}

    def make_row(self, values: dict[str, Any]) -> User:
        row = User(**values)
        row.set_unusable_password()
        writing.save_new(self.user, row)
        return row

    def register(self, home: Organization, row: User) -> None:
        set_role(home, row, Role.PARTICIPANT)


class OrganizationUsers(ResourceViewSet):
    """A change here counts at once, at every door, also for a socket that is open."""

    model = OrganizationUser
    order = ("created_at",)
    expand = ("user", "organization")
    example_change = {"role": "marshal"}

    def make(self, values: dict[str, Any]) -> OrganizationUser:
        row: OrganizationUser = super().make(values)
        memberships_changed([row.user_id])
        return row

    def change(self, row: OrganizationUser, values: dict[str, Any]) -> None:
        before = row.user_id
        super().change(row, values)
        memberships_changed({before, row.user_id})

    def remove(self, row: OrganizationUser) -> None:
        user = row.user_id
        super().remove(row)
        memberships_changed([user])

    @extend_schema(request=None, responses={200: serializer_for(OrganizationUser)})
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> HttpResponse:
        """End all rights of the member in the organization, on open sockets too."""
        return self._suspended(pk, True)

    @extend_schema(request=None, responses={200: serializer_for(OrganizationUser)})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> HttpResponse:
        """Give a suspended member the same rights again."""
        return self._suspended(pk, False)

    def _suspended(self, pk: str, suspended: bool) -> HttpResponse:
        with transaction.atomic():
            row = self.row(pk, lock=True)
            policy.require(self.user, "manage_members", row)
            suspend(row, suspended=suspended)
            return self.shown(row)


class Comments(AddOnlyResource):
    """What officials tell each other about a row, named by its table and id. Never edited; another follows."""

    model = Comment
    order = ("created_at",)
    search = ("text",)
    read_only = frozenset({"author", "organization"})

    def make(self, values: dict[str, Any]) -> Comment:
        policy.require(self.user, "add", Comment)
        row = _row(values["table"], values["row"])
        if row is None or not policy.may(self.user, "view", row):
            raise ValidationError({"row": [_("There is no such row, or it is not yours to see.")]})
        return comment(writing.person(self.user), row, values["text"])


def _row(table: str, key: str) -> Model | None:
    """Raises ValidationError for a table that is none."""
    if table not in SCOPES:
        raise ValidationError({"table": [_("There is no such table.")]})
    found = [model for model in apps.get_models() if model._meta.db_table == table]
    return load(found[0], key) if found else None


RESOURCES = {
    "organizations": Organizations,
    "users": Users,
    "organization_users": OrganizationUsers,
    "comments": Comments,
}
