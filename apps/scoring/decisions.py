"""What officials decide: made once, kept through every recompute, revoked by another act (design §1, rule 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog.models import Device
from apps.common.said import of_error
from apps.course.models import Stage
from apps.events.domain.standing import check_transition
from apps.events.models import Entry, Event, RaceClass
from apps.penalties.models import Decision
from apps.scoring import queries
from apps.scoring.domain.status import STAGE_TRANSITIONS
from apps.scoring.queries import Window
from apps.telemetry.faulty import flag, unflag


@dataclass(frozen=True, slots=True)
class Draft:
    """A decision before it has a number. What it is about beyond the event is None where it holds for all."""

    event: Event
    kind: str
    params: Mapping[str, Any]
    reason: str
    entry: Entry | None = None
    race_class: RaceClass | None = None
    stage: Stage | None = None
    article: str = ""
    document: str = field(default="")


def decide(draft: Draft, author: User) -> Decision:
    """Record a decision under the event's next number; the scorer follows it within a second (`upkeep`).

    Raises ValidationError naming the field.
    """
    with transaction.atomic():
        queries.lock("decisions", [str(draft.event.id)])
        last = Decision.objects.filter(event=draft.event).aggregate(last=Max("number"))["last"] or 0
        decision = Decision(
            event=draft.event,
            number=last + 1,
            kind=draft.kind,
            entry=draft.entry,
            race_class=draft.race_class,
            stage=draft.stage,
            params=dict(draft.params),
            article=draft.article,
            document=draft.document,
            reason=draft.reason,
            author=author,
        )
        decision.full_clean()
        _check_status(decision)
        _check_device(decision)
        decision.save()
        if decision.kind == "faulty_fixes":
            flag(*_window(decision))
        return decision


def _check_status(decision: Decision) -> None:
    """Raises ValidationError for a status that cannot follow the one decided before (6.4)."""
    if decision.kind != "set_status":
        return
    before = Decision.objects.filter(
        kind="set_status", entry=decision.entry, stage=decision.stage, revoked_at=None
    ).order_by("number")
    word = before.last()
    try:
        check_transition(word.params["status"] if word else "", decision.params["status"], STAGE_TRANSITIONS)
    except ValueError as error:
        raise ValidationError({"params": of_error(error, _)}) from error


def _check_device(decision: Decision) -> None:
    """Raises ValidationError for fixes of a tracker nobody knows: it would hold against nothing."""
    if decision.kind == "faulty_fixes" and not Device.objects.filter(imei=decision.params["device"]).exists():
        raise ValidationError({"params": _("No tracker %(imei)s.") % {"imei": decision.params["device"]}})


def revoke(decision: Decision, author: User, reason: str) -> Decision:
    """Take a decision back; what it lay over shows again. Raises ValidationError without a reason, or a second time."""
    if not reason.strip():
        raise ValidationError({"reason": _("Say why the decision is revoked.")})
    with transaction.atomic():
        held = Decision.objects.select_for_update().get(pk=decision.pk)
        if held.revoked_at is not None:
            raise ValidationError(_("Decision %(number)s was revoked before.") % {"number": held.number})
        held.revoked_at, held.revoked_by, held.revoked_reason = timezone.now(), author, reason.strip()
        held.save(update_fields=["revoked_at", "revoked_by", "revoked_reason", "updated_at"])
        if held.kind == "faulty_fixes":
            unflag(*_window(held), keep=_windows_in_force(held))
        return held


def hold_faulty(windows: Sequence[Window]) -> None:
    """Flag what arrived late in a window that was decided to be faulty."""
    for device, low, high in queries.faulty_windows([window.device for window in windows]):
        for window in windows:
            if window.device == device and window.from_ts <= high and window.to_ts >= low:
                flag(device, max(low, window.from_ts), min(high, window.to_ts))


def _window(decision: Decision) -> tuple[str, int, int]:
    params = decision.params
    return params["device"], params["from_ts"], params["to_ts"]


def _windows_in_force(revoked: Decision) -> list[tuple[int, int]]:
    """What other decisions, of any event, still hold against the same device."""
    others = Decision.objects.filter(
        kind="faulty_fixes", revoked_at=None, params__device=revoked.params["device"]
    ).exclude(pk=revoked.pk)
    return [(other.params["from_ts"], other.params["to_ts"]) for other in others]
