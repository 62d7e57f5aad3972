"""Resources of `apps.accounts`, which lies below this app: people, organizations, memberships."""

from typing import Any

from apps.accounts.models import Organization, OrganizationUser, Role, User
from apps.accounts.services import memberships_changed, set_role
from apps.rest import writing
from apps.rest.registered import Registered
from apps.rest.views import ResourceViewSet


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


RESOURCES = {"organizations": Organizations, "users": Users, "organization_users": OrganizationUsers}
