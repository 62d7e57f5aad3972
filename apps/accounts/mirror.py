"""The mirror of roles in django-guardian: groups, and their permissions on an organization.

`organization_users` is what the policy reads. The mirror exists for programs that ask `user.has_perm(name,
organization)`: for each organization and role one group, `organization:<id>:<role>`, that holds on the
Organization every permission the role has without condition (`change_entries`, `decide`; conditional ones are
left out, so that the mirror never says yes where the policy says no). A few rows for each organization, whatever
the number of entries. Raw SQL may leave the mirror behind; `manage.py sync_roles` finds and repairs it.
"""

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, QuerySet

from apps.accounts.models import Organization, OrganizationGroupPermission, OrganizationUser, Role, User
from apps.accounts.policy_rules import RULES

PREFIX = "organization:"


@transaction.atomic
def follow(users: list[UUID]) -> None:
    """Bring the groups of these users in step with their memberships."""
    memberships = list(_in_force().filter(user__in=users))
    for organization in {membership.organization_id for membership in memberships}:
        _mirror_organization(organization)
    _put_in_groups({(row.user_id, _group(row)) for row in memberships}, Q(user__in=users))


def drift() -> list[str]:
    """How the mirror differs from the memberships and the table, each difference as a line to print."""
    have, want = _groups_of_users(Q()), {(row.user_id, _group(row)) for row in _in_force()}
    granted, due = _granted(), _due(Organization.objects.values_list("id", flat=True))
    found = (
        ("user {} lacks group {}", want - have),
        ("user {} is wrongly in group {}", have - want),
        ("group {} lacks permission {}", due - granted),
        ("group {} wrongly has permission {}", granted - due),
        ("group {} is of no organization", {(group.name,) for group in _orphans()}),
    )
    return [text.format(*row) for text, rows in found for row in sorted(rows, key=str)]


@transaction.atomic
def repair() -> list[str]:
    """Bring all of the mirror in step. Returns what was wrong."""
    found = drift()
    _orphans().delete()
    for organization in Organization.objects.values_list("id", flat=True):
        _mirror_organization(organization)
    _put_in_groups({(row.user_id, _group(row)) for row in _in_force()}, Q())
    return found


def codenames(role: str) -> frozenset[str]:
    """The permissions of a role on its organization: those the table grants without condition."""
    named = {f"{action}_{resource}": rule for (resource, action), rule in RULES.resources.items()} | RULES.acts
    return frozenset(name for name, rule in named.items() if rule.get(role) == "")


def group_name(organization: UUID, role: str) -> str:
    return f"{PREFIX}{organization}:{role}"


def _group(membership: OrganizationUser) -> str:
    return group_name(membership.organization_id, membership.role)


def _in_force() -> QuerySet[OrganizationUser]:
    return OrganizationUser.objects.filter(suspended=False)


def _orphans() -> QuerySet[Group]:
    organizations = Organization.objects.values_list("id", flat=True)
    names = [group_name(id, role) for id in organizations for role in Role.values]
    return Group.objects.filter(name__startswith=PREFIX).exclude(name__in=names)


def _due(organizations: Iterable[UUID]) -> set[tuple[str, str]]:
    pairs = [(id, role) for id in organizations for role in Role.values]
    return {(group_name(id, role), name) for id, role in pairs for name in codenames(role)}


def _granted() -> set[tuple[str, str]]:
    rows = OrganizationGroupPermission.objects.filter(group__name__startswith=PREFIX)
    return set(rows.values_list("group__name", "permission__codename"))


def _groups_of_users(which: Q) -> set[tuple[UUID, str]]:
    links = User.groups.through.objects.filter(which, group__name__startswith=PREFIX)
    return set(links.values_list("user_id", "group__name"))


def _put_in_groups(wanted: set[tuple[UUID, str]], which: Q) -> None:
    """Of the users that `which` selects, everybody into exactly the wanted groups."""
    have = _groups_of_users(which)
    through = User.groups.through
    for user, name in have - wanted:
        through.objects.filter(user_id=user, group__name=name).delete()
    ids = dict(Group.objects.filter(name__in={name for _user, name in wanted}).values_list("name", "id"))
    rows = [through(user_id=user, group_id=ids[name]) for user, name in wanted - have]
    through.objects.bulk_create(rows, ignore_conflicts=True)


def _mirror_organization(organization: UUID) -> None:
    """The six groups of an organization, with the permissions of the table."""
    names = {role: group_name(organization, role) for role in Role.values}
    Group.objects.bulk_create([Group(name=name) for name in names.values()], ignore_conflicts=True)
    groups = {group.name: group for group in Group.objects.filter(name__in=names.values())}
    permissions = _permissions()
    rows = OrganizationGroupPermission.objects.filter(content_object=organization)
    for role, name in names.items():
        due = {permissions[codename] for codename in codenames(role)}
        rows.filter(group=groups[name]).exclude(permission__in=due).delete()
        _grant(organization, groups[name], due)


def _grant(organization: UUID, group: Group, permissions: set[Permission]) -> None:
    # One statement for a role: bulk_create passes by guardian's check of the content type, which `_permissions` keeps.
    rows = [
        OrganizationGroupPermission(content_object_id=organization, group=group, permission=permission)
        for permission in permissions
    ]
    OrganizationGroupPermission.objects.bulk_create(rows, ignore_conflicts=True)


def _permissions() -> dict[str, Permission]:
    """The permissions on an Organization that the table speaks of, made where they are missing."""
    kind = ContentType.objects.get_for_model(Organization)
    names = frozenset().union(*(codenames(role) for role in Role.values))
    rows = [Permission(content_type=kind, codename=name, name=f"Can {name.replace('_', ' ')}") for name in names]
    known = Permission.objects.filter(content_type=kind, codename__in=names)
    if known.count() < len(names):
        Permission.objects.bulk_create(rows, ignore_conflicts=True)
    return {permission.codename: permission for permission in known.all()}
