"""Acts on recorded times: written once, withdrawn by another act, never edited (design §1, rule 2)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.events.models import Entry
from apps.timing.models import TimingRecord, TimingStatus


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A time as somebody recorded it. `id` is the sender's: what is sent twice is written once."""

    id: UUID
    entry: Entry
    control: UUID
    source: str
    ts: datetime
    status: str = TimingStatus.GOOD
    reason: str = ""


def record(new: NewRecord, author: User) -> TimingRecord:
    """Write the record, or give the one written under that id before.

    Raises ValidationError for a record that cannot be, or an id that was used for another time.
    """
    row = TimingRecord(
        id=new.id,
        entry=new.entry,
        control=new.control,
        source=new.source,
        ts=new.ts,
        status=new.status,
        reason=new.reason,
        author=author,
    )
    row.clean_fields()
    row.clean()
    with transaction.atomic():
        TimingRecord.objects.bulk_create([row], ignore_conflicts=True)
        held = TimingRecord.objects.select_related("entry", "author").get(pk=new.id)
    if (held.entry_id, held.control, held.ts) != (new.entry.pk, new.control, new.ts):
        raise ValidationError({"id": _("Another time was written under this id: %(time)s.") % {"time": held}})
    return held


def withdraw(record: TimingRecord, author: User, reason: str) -> TimingRecord:
    """Take a record back: it stays as evidence, and counts no more. Withdrawn before, it stays as it was.

    Raises ValidationError without a reason.
    """
    if not reason.strip():
        raise ValidationError({"reason": _("Say why the time is withdrawn.")})
    with transaction.atomic():
        held = TimingRecord.objects.select_for_update(of=("self",)).select_related("entry", "author").get(pk=record.pk)
        if held.withdrawn_at is None:
            held.withdrawn_at, held.withdrawn_by, held.withdrawn_reason = timezone.now(), author, reason.strip()
            held.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason", "updated_at"])
        return held
