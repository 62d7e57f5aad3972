"""The one door policy: who may see an event."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import User
from apps.accounts.policy import may_view_event
from apps.events.factories import EventFactory

pytestmark = pytest.mark.django_db


def test_a_public_event_is_everybodys() -> None:
    assert may_view_event(AnonymousUser(), EventFactory(is_public=True))


def test_a_private_event_is_its_members_only() -> None:
    event = EventFactory(is_public=False)
    member = OrganizationUserFactory(organization=event.organization).user
    stranger = OrganizationUserFactory().user
    assert may_view_event(member, event)
    assert not may_view_event(stranger, event)
    assert not may_view_event(AnonymousUser(), event)


def test_a_suspended_member_sees_nothing_private() -> None:
    event = EventFactory(is_public=False)
    member = OrganizationUserFactory(organization=event.organization, user=UserFactory(is_active=False)).user
    assert not may_view_event(member, event)


def test_a_superuser_sees_all() -> None:
    assert may_view_event(User.objects.create_superuser("a@b.al", "x"), EventFactory(is_public=False))


def test_a_user_has_one_role_in_an_organization() -> None:
    link = OrganizationUserFactory()
    with pytest.raises(IntegrityError, match="organization_users_once"), transaction.atomic():
        OrganizationUserFactory(organization=link.organization, user=link.user, role="marshal")


def test_a_user_needs_an_email() -> None:
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_user("")
