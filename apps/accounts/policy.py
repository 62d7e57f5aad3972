"""Who may see what: the one place every door asks (design §1, rule 5)."""

from typing import Protocol
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from apps.accounts.models import OrganizationUser, User


class OwnedEvent(Protocol):
    """What the policy needs to know of an event; `accounts` lies below `events` and cannot import it."""

    is_public: bool
    organization_id: UUID


def may_view_event(user: User | AnonymousUser, event: OwnedEvent) -> bool:
    """A public event is everybody's; any other belongs to its organization's members and superusers."""
    if event.is_public:
        return True
    if not isinstance(user, User) or not user.is_active:
        return False
    if user.is_superuser:
        return True
    return OrganizationUser.objects.filter(user=user, organization_id=event.organization_id).exists()
