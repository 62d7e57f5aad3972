"""The start list of a stage: proposed and published, crews moved with a reason, versions given out (rulebook 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.common.audit import because
from apps.common.position import instant
from apps.common.said import of_error
from apps.course.models import Stage
from apps.desk.domain import clock
from apps.desk.place import Place
from apps.events.models import Entry
from apps.racelog.gate import gate
from apps.scoring.inputs import milliseconds
from apps.scoring.start_lists import StartRow, Where, open_stage, propose, reposition, republish, revoke
from apps.timing.domain.start_order import StartOrderError
from apps.timing.models import StartList, StartListState, StartOverride


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the proposed list beside what is published: `was_ms` None where it is not on that list."""

    row: StartRow
    was_ms: int | None
    override: StartOverride | None

    @property
    def moved(self) -> bool:
        return self.was_ms is not None and self.was_ms != self.row.start_ms


def show(place: Place) -> HttpResponse:
    """The list; a POST moves a crew (`act=move`), takes that back (`act=revoke`) or publishes (`act=publish`)."""
    place.require("view", "start_lists")
    acts = {"move": _move, "revoke": _take_back, "publish": _publish}
    stage, act = place.the_stage(), place.request.POST.get("act", "")
    if place.request.method == "POST" and act in acts:
        place.require("open_stage" if act == "publish" else "seed")
        try:
            messages.success(place.request, acts[act](place, stage))
            return redirect(place.link("starts"))
        except StartOrderError as error:
            return _page(place, stage, of_error(error, _))
        except ValidationError as error:
            return _page(place, stage, " ".join(error.messages))
    return _page(place, stage, "")


def _page(place: Place, stage: Stage, error: str) -> HttpResponse:
    published = _published(stage)
    overrides = list(StartOverride.objects.filter(stage=stage, revoked_at=None).select_related("entry", "author"))
    try:
        rows, problem = propose(stage), ""
    except StartOrderError as refused:
        rows, problem = [], of_error(refused, _)
    lines = _lines(rows, published, {str(one.entry_id): one for one in overrides})
    context = {
        "lines": lines,
        "problem": problem,
        "error": error,
        "published": published,
        "overrides": overrides,
        "changes": sum(line.moved or line.was_ms is None for line in lines) if published else 0,
        "gone": len(published.rows) - sum(line.was_ms is not None for line in lines) if published else 0,
        "gate": None if published else gate(stage, place.control),
        "ask": place.request.GET.get("publish") == "1" and place.may("open_stage") and not problem,
        "moving": place.request.GET.get("move", ""),
        "undoing": _undoing(place, overrides),
        "typed": place.request.POST,  # what is refused is not lost
        "may_seed": place.may("seed"),
        "may_open": place.may("open_stage"),
        "now": milliseconds(timezone.now()),
    }
    return place.show("starts", context, title=_("Start list"), page="starts")


def _undoing(place: Place, overrides: Sequence[StartOverride]) -> StartOverride | None:
    """The move whose undoing is asked about: `?undo=<number>`, or what was refused."""
    asked = place.request.POST.get("override", ""), place.request.GET.get("undo", "")
    return next((one for one in overrides if str(one.pk) == asked[0] or str(one.entry.race_number) == asked[1]), None)


def _published(stage: Stage) -> StartList | None:
    rows = StartList.objects.filter(stage=stage, state=StartListState.PUBLISHED).select_related("author")
    return rows.order_by("-version").first()


def _lines(rows: Sequence[StartRow], published: StartList | None, overrides: Mapping[str, StartOverride]) -> list[Line]:
    before = {row["entry"]: row["start_ms"] for row in published.rows} if published else {}
    return [Line(row, before.get(row.entry), overrides.get(row.entry)) for row in rows]


def _move(place: Place, stage: Stage) -> str:
    data = place.request.POST
    entry = _entry(place, data.get("number", ""))
    reason = data.get("reason", "")
    with because(reason):
        reposition(stage, entry, _where(place, stage, data), reason, place.user)
    return _("No. %d is moved in the proposal; publish the list to make it hold.") % entry.race_number


def _where(place: Place, stage: Stage, data: Mapping[str, Any]) -> Where:
    """Exactly one of a position, behind whom, a time of day. Raises ValidationError for what cannot be read."""
    position, after, at = (str(data.get(name, "")).strip() for name in ("position", "after", "at"))
    if position and not position.isdecimal():
        raise ValidationError(_("Position: %(text)s is no number.") % {"text": position})
    return Where(
        int(position) if position else None,
        _entry(place, after) if after else None,
        _instant(stage, at) if at else None,
    )


def _instant(stage: Stage, text: str) -> Any:
    try:
        typed = clock.read(text)
    except ValueError as error:
        raise ValidationError(_("%(text)s is no time; type 10:23:45.6 or 102345.") % {"text": text or "–"}) from error
    return instant(clock.nearest(typed, milliseconds(stage.starts_at), timezone.get_current_timezone()))


def _take_back(place: Place, stage: Stage) -> str:
    rows = StartOverride.objects.filter(stage=stage).select_related("stage", "entry")
    try:
        row = get_object_or_404(rows, pk=UUID(place.request.POST.get("override", "")))
    except ValueError as error:
        raise ValidationError(_("That change is gone: load the page again.")) from error
    revoke(row, place.user, place.request.POST.get("reason", ""))
    return _("No. %d starts where the rules put it again; publish the list to make it hold.") % row.entry.race_number


def _publish(place: Place, stage: Stage) -> str:
    reason = place.request.POST.get("reason", "")
    with because(reason):
        if _published(stage) is None:
            done = open_stage(stage, place.user)
            return _("Start list version %d is published, and the starts are set.") % done.version
        again = republish(stage, place.user, reason)
    if not again.moves:
        return _("Nothing has changed: version %d stands.") % again.list.version
    return _("Start list version %(version)d is published: %(count)d crews start at another time.") % {
        "version": again.list.version,
        "count": len(again.moves),
    }


def _entry(place: Place, number: str) -> Entry:
    entry = Entry.objects.filter(event=place.event, race_number=int(number)).first() if number.isdecimal() else None
    if entry is None:
        raise ValidationError(_("There is no entry %(number)s.") % {"number": number or "–"})
    return entry
