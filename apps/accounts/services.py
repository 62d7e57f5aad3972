"""Memberships are written here: the row, its mirror in django-guardian, and what this request remembers of it."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from apps.accounts import mirror, rights
from apps.accounts.models import Organization, OrganizationUser, Role, User

# Who works in the admin. Entering it grants nothing by itself.
DESK = frozenset({Role.ORG_ADMIN, Role.RACE_DIRECTOR, Role.TIMEKEEPER, Role.MARSHAL})


@transaction.atomic
def set_role(organization: Organization, user: User, role: str) -> OrganizationUser:
    """Make `user` a member with this role, or change the role. A suspended member stays suspended."""
    membership, _made = OrganizationUser.objects.update_or_create(
        organization=organization, user=user, defaults={"role": role}
    )
    memberships_changed([user.pk])
    return membership


@transaction.atomic
def suspend(membership: OrganizationUser, *, suspended: bool = True) -> None:
    """End all rights of a member in the organization, or give them back."""
    membership.suspended = suspended
    membership.save(update_fields=["suspended", "updated_at"])
    memberships_changed([membership.user_id])


@transaction.atomic
def memberships_changed(users: Iterable[UUID]) -> None:
    """To be called in the transaction of every other write of a membership: a form of the admin, an import."""
    users = list(users)
    rights.forget()
    mirror.follow(users)
    User.objects.filter(pk__in=users, memberships__role__in=DESK, is_staff=False).update(is_staff=True)
