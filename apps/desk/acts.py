"""The decisions of the review queue: what a case may become, each with a reason, made by `apps.scoring.decisions`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.audit import because
from apps.course.models import Stage
from apps.desk.domain.clock import nearest, read, read_duration
from apps.desk.place import Place
from apps.events.models import Entry
from apps.penalties.models import Decision, EntryPenalty
from apps.scoring.decisions import Draft, decide
from apps.scoring.inputs import milliseconds

OF_PENALTY = {"confirm": "confirm_penalty", "waive": "waive_penalty", "edit": "edit_penalty"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an official said about a case; `value` is the new penalty or the time, as typed."""

    act: str
    reason: str
    value: str = ""
    article: str = ""


def on_penalty(penalty: EntryPenalty, verdict: Verdict, author: User) -> Decision:
    """Confirm, waive or change a penalty. Raises ValidationError naming what is missing."""
    kind = OF_PENALTY.get(verdict.act)
    if kind is None:
        raise ValidationError(_("Choose what to do: confirm, waive or change."))
    params: dict[str, Any] = {"key": penalty.key}
    if verdict.act == "edit":
        params["ms"] = _duration(verdict.value)
    return _decide(penalty.stage, penalty.entry, kind, params, verdict, author)


def on_time(stage: Stage, entry: Entry, control: str, verdict: Verdict, author: User) -> Decision:
    """Confirm the time of an entry at a control: one of those on record (epoch ms), or one that is typed."""
    return _decide(stage, entry, "confirm_time", {"control": control, "ts": _instant(stage, verdict)}, verdict, author)


def _decide(
    stage: Stage, entry: Entry, kind: str, params: Mapping[str, Any], verdict: Verdict, author: User
) -> Decision:
    if not verdict.reason.strip():
        raise ValidationError(_("Give the reason: it stays with the decision."))
    draft = Draft(stage.event, kind, params, verdict.reason.strip(), entry=entry, stage=stage, article=verdict.article)
    with because(verdict.reason.strip()):
        return decide(draft, author)


def _instant(stage: Stage, verdict: Verdict) -> int:
    if verdict.act.isdecimal():
        return int(verdict.act)
    if verdict.act != "edit":
        raise ValidationError(_("Choose the time that counts."))
    try:
        typed = read(verdict.value)
    except ValueError as error:
        raise ValidationError(
            _("%(text)s is no time; type 10:23:45.6 or 102345.") % {"text": verdict.value or "–"}
        ) from error
    # Within half a day of the stage's sixth hour: stages begin in the morning and may end at night.
    around = milliseconds(stage.starts_at) + 6 * 3_600_000
    return nearest(typed, around, timezone.get_current_timezone())


def _duration(text: str) -> int:
    try:
        return read_duration(text)
    except ValueError as error:
        raise ValidationError(
            _("%(text)s is no duration; type 90, 1:30 or 1:02:03.") % {"text": text or "–"}
        ) from error


def message(place: Place, decision: Decision) -> SafeString:
    """What was done, with its way back, for the page that comes next."""
    done = _("Decision %(number)d: %(kind)s. The result follows within seconds.") % {
        "number": decision.number,
        "kind": decision.get_kind_display(),
    }
    return with_way_back(done, place.link("revoke", decision.pk), _("Revoke"))


def with_way_back(done: str, link: str, undo: str) -> SafeString:
    """A message that an act was done, and where it is taken back."""
    return format_html('{} <a href="{}">{}</a>', done, link, undo)


def said(place: Place) -> Verdict:
    """The verdict a form sent."""
    data = place.request.POST
    return Verdict(
        act=data.get("act", ""),
        reason=data.get("reason", ""),
        value=data.get("value", ""),
        article=data.get("article", ""),
    )
