"""A stage is closed when nobody is left on it: each entry home, out, or accounted for by an official."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.policy import require
from apps.common.audit import because
from apps.course.models import Stage
from apps.events.models import Entry
from apps.racelog.services import tell
from apps.safety import queries
from apps.safety.models import Accounting, Alert, StageClosing
from apps.scoring.queries import lock

MOST_NAMED = 20


def account_for(user: User, stage: Stage, entry: Entry, reason: str) -> Accounting:
    """What became of an entry the stage has no end of. The first word stays.

    Raises ValidationError without a reason.
    """
    row = Accounting(stage=stage, entry=entry, author=user, reason=reason.strip()[:500])
    require(user, "add", row)
    if entry.event_id != stage.event_id:
        raise ValidationError(_("This entry belongs to another event."))
    if not row.reason:
        raise ValidationError(_("Say what became of the crew."))
    with because(row.reason):
        found, _made = Accounting.objects.get_or_create(
            stage=stage, entry=entry, withdrawn_at=None, defaults={"author": user, "reason": row.reason}
        )
    return found


def withdraw_accounting(user: User, row: Accounting, reason: str) -> Accounting:
    """The crew is not accounted for after all, and keeps the stage open. Withdrawn before, it stays as it was.

    Raises PermissionDenied, and ValidationError without a reason or while the stage is closed.
    """
    require(user, "add", row)
    if not reason.strip():
        raise ValidationError(_("Say why the crew is looked for again."))
    with transaction.atomic(), because(reason.strip()):
        lock("close", [str(row.stage_id)])
        if StageClosing.objects.filter(stage=row.stage_id, reopened_at=None).exists():
            raise ValidationError(_("The stage is closed: reopen it first."))
        held = Accounting.objects.select_for_update(of=("self",)).get(pk=row.pk)
        if held.withdrawn_at is None:
            held.withdrawn_at, held.withdrawn_by = timezone.now(), user
            held.withdrawn_reason = reason.strip()[:500]
            held.save()
        return held


def close_stage(user: User, stage: Stage, note: str = "") -> StageClosing:
    """Close a stage; one that is closed stays as it is.

    Raises PermissionDenied, and ValidationError naming the entries that are unaccounted for or whose alert is open.
    """
    require(user, "close_stage", stage)
    with transaction.atomic(), because(note.strip()):
        lock("close", [str(stage.pk)])
        held = StageClosing.objects.filter(stage=stage, reopened_at=None).first()
        if held is not None:
            return held
        refuse_unaccounted(stage)
        made = StageClosing.objects.create(stage=stage, author=user, note=note.strip()[:500])
        tell(user, stage.event, stage, f"{_('Stage closed.')} {made.note}".strip())
        return made


def reopen_stage(user: User, stage: Stage, reason: str) -> None:
    """Somebody is on it after all. Raises ValidationError without a reason, or for a stage that is not closed."""
    require(user, "close_stage", stage)
    if not reason.strip():
        raise ValidationError(_("Say why the stage is open again."))
    with transaction.atomic(), because(reason.strip()):
        _reopen(user, stage, reason.strip()[:500])
        tell(user, stage.event, stage, f"{_('Stage open again.')} {reason.strip()[:500]}")


def _reopen(user: User, stage: Stage, reason: str) -> None:
    changed = StageClosing.objects.filter(stage=stage, reopened_at=None).update(
        reopened_at=timezone.now(), reopened_by=user, reason=reason, updated_at=timezone.now()
    )
    if not changed:
        raise ValidationError(_("This stage is not closed."))


def refuse_unaccounted(stage: Stage) -> None:
    """Raises ValidationError with a sentence for each thing that keeps the stage open."""
    found = sentences(stage)
    if found:
        raise ValidationError(found)


def sentences(stage: Stage) -> list[str]:
    """Why the stage cannot be closed yet; empty when it can."""
    left = queries.unaccounted(str(stage.pk))
    on_course = [number for number, status in left if status == "running"]
    unseen = [number for number, status in left if status != "running"]
    alerts = Alert.objects.filter(stage=stage, closed_at=None).order_by("entry__race_number")
    alarmed = sorted(set(alerts.values_list("entry__race_number", flat=True)))
    told = (
        (on_course, _("Still on course: %(numbers)s. Give each an end, or say what became of it.")),
        (unseen, _("On the start list and never seen: %(numbers)s. Decide DNS, or say what became of them.")),
        (alarmed, _("Their alerts are still open: %(numbers)s. Close them first.")),
    )
    return [text % {"numbers": _named(numbers)} for numbers, text in told if numbers]


def _named(numbers: list[int]) -> str:
    more = len(numbers) - MOST_NAMED
    return ", ".join(map(str, numbers[:MOST_NAMED])) + (_(" and %(n)d more") % {"n": more} if more > 0 else "")
