"""Acts on alerts. Each asks the policy, locks the alert, and leaves a line in its log."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.policy import may, require
from apps.common.audit import because
from apps.safety.domain.watch import Kind
from apps.safety.models import Alert, AlertAct, AlertLine


def acknowledge(user: User, alert: Alert, note: str = "") -> Alert:
    """`user` has seen it and looks after it; who was first stays.

    Raises PermissionDenied to who is no official of the event, ValidationError for a closed one: so do all of these.
    """

    def change(row: Alert) -> bool:
        if row.acknowledged_at:
            return False
        row.acknowledged_at, row.acknowledged_by = timezone.now(), user
        row.owner = row.owner or user
        return True

    return _act(user, alert, AlertAct.ACKNOWLEDGED, note, change)


def escalate(user: User, alert: Alert, note: str = "") -> Alert:
    """Race control calls the rescue, or the next one up."""

    def change(row: Alert) -> bool:
        row.escalated_at = row.escalated_at or timezone.now()
        return True

    return _act(user, alert, AlertAct.ESCALATED, note, change)


def hand_over(user: User, alert: Alert, to: User, note: str = "") -> Alert:
    """Another official looks after it. Raises ValidationError for somebody who may not."""
    if not may(to, "change", alert):
        raise ValidationError(_("%(name)s may not look after alerts of this event.") % {"name": to})

    def change(row: Alert) -> bool:
        row.owner = to
        return True

    return _act(user, alert, AlertAct.HANDED_OVER, f"→ {to} {note}".strip(), change)


def note(user: User, alert: Alert, text: str) -> Alert:
    """A line in the log. Raises ValidationError for an empty one."""
    return _act(user, alert, AlertAct.NOTED, _given(text, _("Write something.")), lambda row: True)


def close(user: User, alert: Alert, reason: str) -> Alert:
    """It is over, `reason` says how it ended. Raises ValidationError without one."""
    said = _given(reason, _("Say how it ended: it is kept with the alert."))

    def change(row: Alert) -> bool:
        row.closed_at, row.closed_by, row.reason = timezone.now(), user, said
        row.owner = row.owner or user
        if not row.acknowledged_at:
            row.acknowledged_at, row.acknowledged_by = row.closed_at, user
        return True

    return _act(user, alert, AlertAct.CLOSED, said, change)


def put_back(user: User, alert: Alert, reason: str) -> Alert:
    """Nobody looks after it after all: it waits for an official again. Raises ValidationError without a reason."""
    said = _given(reason, _("Say why nobody looks after it any more."))

    def change(row: Alert) -> bool:
        if row.acknowledged_at is None:
            return False
        row.acknowledged_at = row.acknowledged_by = row.owner = None
        return True

    return _act(user, alert, AlertAct.PUT_BACK, said, change)


def stand_down(user: User, alert: Alert, reason: str) -> Alert:
    """The rescue is not needed after all. Raises ValidationError without a reason."""
    said = _given(reason, _("Say why it is not escalated any more."))

    def change(row: Alert) -> bool:
        if row.escalated_at is None:
            return False
        row.escalated_at = None
        return True

    return _act(user, alert, AlertAct.STOOD_DOWN, said, change)


def reopen(user: User, alert: Alert, reason: str) -> Alert:
    """It was closed in error: open again, and `user` looks after it.

    Raises ValidationError without a reason, for one that is open, and where the same trouble was raised anew since.
    """
    said = _given(reason, _("Say why it is open again."))
    with transaction.atomic():
        row = _held(user, alert)
        if row.closed_at is None:
            raise ValidationError(_("This alert is open."))
        if Alert.objects.filter(entry=row.entry_id, kind=row.kind, closed_at=None).exists():
            raise ValidationError(_("The same was raised again since then: look after that alert."))
        row.closed_at, row.closed_by, row.reason, row.owner = None, None, "", user
        return _saved(row, AlertAct.REOPENED, user, said)


def acknowledge_panic(user: User, entry: UUID, alarm_ts: int, note: str = "") -> None:
    """The SOS of an entry at `alarm_ts` (epoch ms) was seen in race control; nothing where the watch has none open."""
    for alert in Alert.objects.filter(
        entry=entry, kind=Kind.PANIC, closed_at=None, acknowledged_at=None, since__lte=alarm_ts
    ):
        acknowledge(user, alert, note)


def _act(user: User, alert: Alert, act: AlertAct, text: str, change: Callable[[Alert], bool]) -> Alert:
    with transaction.atomic():
        row = _held(user, alert)
        if row.closed_at:
            raise ValidationError(_("This alert is closed already."))
        return _saved(row, act, user, text) if change(row) else row


def _held(user: User, alert: Alert) -> Alert:
    """The row, locked. Raises PermissionDenied."""
    row = Alert.objects.select_for_update(of=("self",)).select_related("event", "entry").get(pk=alert.pk)
    require(user, "change", row)
    return row


def _saved(row: Alert, act: AlertAct, user: User, text: str) -> Alert:
    with because(text):
        row.save()
        AlertLine.objects.create(alert=row, act=act, author=user, text=text[:500])
    return row


def _given(text: str, otherwise: Any) -> str:
    if not text.strip():
        raise ValidationError(otherwise)
    return text.strip()[:500]
