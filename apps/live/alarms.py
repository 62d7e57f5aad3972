"""An alarm is at the top of race control until an official has seen it."""

from django.db import transaction

from apps.accounts.models import User
from apps.accounts.policy import require
from apps.events.models import Entry
from apps.live.models import Acknowledgement
from apps.safety.services import acknowledge_panic


def acknowledge(user: User, entry: Entry, alarm_ts: int, note: str = "") -> Acknowledgement:
    """`user` has seen the alarm at `alarm_ts` (epoch ms) and those before it; who was first stays.

    The alert that was raised of it (`apps.safety`) is acknowledged with it, and looked after by `user`.

    Raises PermissionDenied to anyone who is no official of the event.
    """
    require(user, "add", Acknowledgement, event=entry.event)
    with transaction.atomic():
        found, _ = Acknowledgement.objects.get_or_create(
            entry=entry, alarm_ts=alarm_ts, defaults={"author": user, "note": note}
        )
        acknowledge_panic(user, entry.pk, alarm_ts, note)
    return found
