"""Who sees an event how soon: the one answer for sockets, REST, pages and exports.

Officials see everything at once. The public sees what is `public_delay_seconds` old. A crew sees its own at once,
the others as late as the public does, and nothing of those inside a running stage (`apps.scoring.released`).
"""

from dataclasses import dataclass

from apps.accounts.policy import fields
from apps.accounts.rights import AnyUser
from apps.events.models import EntryCrew, Event

OFFICIAL_DEVICES = "device_id"  # of positions: whom the policy lets read it is an official of the event


@dataclass(frozen=True, slots=True)
class Audience:
    """`own` are the ids of the entries of whose crew one is; an official needs none."""

    official: bool = False
    delay_ms: int = 0
    own: frozenset[str] = frozenset()

    def delay_of(self, entry: str) -> int:
        """How old a fix or a time of this entry must be, ms."""
        return 0 if self.official or entry in self.own else self.delay_ms

    def may_see(self, entry: str, running: frozenset[str]) -> bool:
        """Whether anything of where an entry is may be shown; `running` are those inside a running stage."""
        return not self.own or entry in self.own or entry not in running


def audience_of(user: AnyUser, event: Event) -> Audience:
    """What kind of viewer of `event` a user is who may view it."""
    if is_official(user, event):
        return Audience(official=True)
    return Audience(delay_ms=event.public_delay_seconds * 1000, own=_own(user, event))


def is_official(user: AnyUser, event: Event) -> bool:
    return OFFICIAL_DEVICES in fields(user, "positions", event=event)


def _own(user: AnyUser, event: Event) -> frozenset[str]:
    if not user.is_authenticated:
        return frozenset()
    rows = EntryCrew.objects.filter(user_id=user.pk, entry__event=event).values_list("entry_id", flat=True)
    return frozenset(map(str, rows))
