"""An alarm is at the top of race control until an official has seen it."""

from apps.accounts.models import User
from apps.accounts.policy import require
from apps.events.models import Entry
from apps.live.models import Acknowledgement


def acknowledge(user: User, entry: Entry, alarm_ts: int, note: str = "") -> Acknowledgement:
    """`user` has seen the alarm at `alarm_ts` (epoch ms) and those before it; who was first stays.

    Raises PermissionDenied to anyone who is no official of the event.
    """
    require(user, "add", Acknowledgement, event=entry.event)
    found, _ = Acknowledgement.objects.get_or_create(
        entry=entry, alarm_ts=alarm_ts, defaults={"author": user, "note": note}
    )
    return found
