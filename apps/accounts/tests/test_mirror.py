"""The mirror of roles in django-guardian follows the memberships, and never says more than the policy."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import mirror, services
from apps.accounts.factories import OrganizationFactory, OrganizationUserFactory, UserFactory
from apps.accounts.models import Organization, OrganizationGroupPermission, OrganizationUser, Role, User

pytestmark = pytest.mark.django_db


def has(user: User, name: str, organization: Organization) -> bool:
    fresh = User.objects.get(pk=user.pk)  # guardian and Django remember permissions on the object
    return bool(fresh.has_perm(f"accounts.{name}", organization))


def test_a_role_gives_its_permissions_on_its_organization_alone() -> None:
    user, home, other = UserFactory(), OrganizationFactory(), OrganizationFactory()
    services.set_role(home, user, Role.RACE_DIRECTOR)
    assert has(user, "change_entries", home)
    assert has(user, "decide", home)
    assert not has(user, "change_organization_users", home)
    assert not has(user, "change_entries", other)


def test_a_new_role_takes_the_old_ones_permissions_away() -> None:
    user, home = UserFactory(), OrganizationFactory()
    services.set_role(home, user, Role.ORG_ADMIN)
    services.set_role(home, user, Role.VIEWER)
    assert not has(user, "change_entries", home)
    assert has(user, "view_entries", home)
    assert mirror.drift() == []


def test_what_hangs_on_a_condition_is_not_mirrored() -> None:
    user, home = UserFactory(), OrganizationFactory()
    services.set_role(home, user, Role.MARSHAL)
    assert not has(user, "flag_faulty", home)
    assert not has(user, "add_timing_records", home)


def test_suspension_and_removal_empty_the_groups() -> None:
    user, home = UserFactory(), OrganizationFactory()
    membership = services.set_role(home, user, Role.ORG_ADMIN)
    services.suspend(membership)
    assert not has(user, "view_entries", home)
    services.suspend(membership, suspended=False)
    assert has(user, "view_entries", home)
    membership.delete()
    services.memberships_changed([user.pk])
    assert not has(user, "view_entries", home)
    assert not OrganizationUser.objects.filter(user=user).exists()


def test_a_suspended_user_has_nothing_even_before_the_mirror_is_told() -> None:
    user, home = UserFactory(), OrganizationFactory()
    services.set_role(home, user, Role.ORG_ADMIN)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert not has(user, "view_entries", home)


def test_other_groups_are_left_alone() -> None:
    user, home = UserFactory(), OrganizationFactory()
    user.groups.add(Group.objects.create(name="choir"))
    services.set_role(home, user, Role.VIEWER)
    mirror.repair()
    assert user.groups.filter(name="choir").exists()


def test_officials_may_enter_the_admin() -> None:
    marshal, viewer, home = UserFactory(), UserFactory(), OrganizationFactory()
    services.set_role(home, marshal, Role.MARSHAL)
    services.set_role(home, viewer, Role.VIEWER)
    assert User.objects.get(pk=marshal.pk).is_staff
    assert not User.objects.get(pk=viewer.pk).is_staff


def test_drift_by_raw_sql_is_found_and_repaired() -> None:
    user, home = UserFactory(), OrganizationFactory()
    services.set_role(home, user, Role.ORG_ADMIN)
    OrganizationUserFactory(organization=home, role=Role.MARSHAL)  # a row nobody told the mirror of
    with connection.cursor() as cursor:
        cursor.execute("update organization_users set role = 'viewer' where user_id = %s", [user.pk])
    OrganizationGroupPermission.objects.filter(permission__codename="decide").delete()
    Group.objects.create(name="organization:gone:viewer")
    out = StringIO()
    with pytest.raises(CommandError, match=r"\d+ differences"):
        call_command("sync_roles", "--check", stdout=out)
    for line in ("lacks group", "is wrongly in group", "lacks permission decide", "is of no organization"):
        assert line in out.getvalue()
    call_command("sync_roles", "--fix", stdout=out)
    assert mirror.drift() == []
    assert has(user, "view_entries", home)
    assert not has(user, "change_entries", home)


def test_a_permission_too_many_is_taken_away() -> None:
    home = OrganizationFactory()
    mirror.repair()
    viewers = Group.objects.get(name=mirror.group_name(home.id, Role.VIEWER))
    given = OrganizationGroupPermission.objects.filter(permission__codename="decide").first()
    assert given is not None
    OrganizationGroupPermission.objects.create(group=viewers, permission=given.permission, content_object=home)
    assert mirror.drift() == [f"group {viewers.name} wrongly has permission decide"]
    mirror.repair()
    assert mirror.drift() == []


def test_the_mirror_grows_with_organizations_and_not_with_members() -> None:
    home = OrganizationFactory()
    services.set_role(home, UserFactory(), Role.VIEWER)
    before = OrganizationGroupPermission.objects.count()
    with CaptureQueriesContext(connection) as queries:
        services.set_role(home, UserFactory(), Role.VIEWER)
    assert OrganizationGroupPermission.objects.count() == before
    assert len(queries) < 40
