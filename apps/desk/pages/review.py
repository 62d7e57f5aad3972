"""The review queue: each case with its evidence, to be confirmed, waived or changed, with a reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from apps.course.models import Stage
from apps.desk import acts
from apps.desk.evidence import Passing, plan_of
from apps.desk.place import Place
from apps.desk.review import KINDS, Case, cases
from apps.events.models import Entry
from apps.penalties.models import Decision, EntryPenalty
from apps.racelog import services
from apps.racelog.domain.log import Kind
from apps.racelog.services import Draft
from apps.scoring.inputs import milliseconds
from apps.timing.models import EntryCrossing, TimingRecord

PAGE = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A case on the page, with the times on record at its control."""

    case: Case
    times: Sequence[Passing]
    error: str = ""
    reason: str = ""


def show(place: Place) -> HttpResponse:
    """`?kind=` narrows to one kind, `?number=` to one entry; a POST settles one case."""
    place.require("view", "entry_penalties")
    stage = place.the_stage()
    failed: tuple[str, str, str] = ("", "", "")
    if place.request.method == "POST":
        place.require("decide")
        try:
            messages.success(place.request, _settle(place, stage))
            return redirect(place.request.get_full_path())
        except ValidationError as error:
            failed = (
                place.request.POST.get("case", ""),
                " ".join(error.messages),
                place.request.POST.get("reason", ""),
            )
    return _page(place, stage, failed)


def _page(place: Place, stage: Stage, failed: tuple[str, str, str]) -> HttpResponse:
    every = cases(stage, place.settled)
    counts = Counter(case.kind for case in every)
    kind, number = place.request.GET.get("kind", ""), place.request.GET.get("number", "")
    wanted = [c for c in every if kind in ("", c.kind) and number in ("", str(c.number))]
    times = _times_of(stage, wanted[:PAGE])
    context = {
        "kinds": [("", _("All"), len(every)), *((name, title, counts[name]) for name, title in KINDS.items())],
        "kind": kind,
        "number": number,
        "shown": [_shown(case, times, failed) for case in wanted[:PAGE]],
        "more": max(0, len(wanted) - PAGE),
        "settled": len(place.settled),
        "may_decide": place.may("decide"),
    }
    return place.show("review", context, title=_("Review"), page="review")


def _shown(case: Case, times: Mapping[tuple[str, str], list[Passing]], failed: tuple[str, str, str]) -> Shown:
    key, error, reason = failed
    mine = (error, reason) if key == case.key else ("", "")
    return Shown(case, times.get((case.entry, case.control), []), *mine)


def _settle(place: Place, stage: Stage) -> str:
    """Do what the form says of a case; what was done."""
    if place.request.POST.get("act") == "settle":
        return _leave(place, stage)
    return acts.message(place, _decide(place, stage))


def _leave(place: Place, stage: Stage) -> str:
    """A doubt or a contradiction was looked at, and what counts stays: a line of the log (`apps.racelog`)."""
    asked = place.request.POST.get("case", "")
    case = next((one for one in cases(stage, place.settled) if one.said and one.key == asked), None)
    if case is None:
        raise ValidationError(_("That case is gone: load the page again."))
    entry = Entry.objects.get(pk=case.entry)
    reason = place.request.POST.get("reason", "").strip()
    words = ". ".join([case.title, *case.details])
    if not reason:
        raise ValidationError(_("Give the reason: it stays in the log."))
    draft = Draft(place.event, Kind.SETTLED, stage, entry, f"{reason} ({words})", about=case.said)
    line = services.write(place.user, draft)
    done = _("Settled: it has left the list and stays in the race-control log.")
    return acts.with_way_back(done, place.link("control", ask="take-back", line=str(line.pk)), _("Take back"))


def _decide(place: Place, stage: Stage) -> Decision:
    data = place.request.POST
    verdict = acts.said(place)
    if data.get("penalty"):
        rows = EntryPenalty.objects.filter(stage=stage).select_related("entry", "stage__event")
        return acts.on_penalty(get_object_or_404(rows, pk=_uuid(data["penalty"])), verdict, place.user)
    entry = get_object_or_404(Entry.objects.filter(event=place.event), pk=_uuid(data.get("entry", "")))
    return acts.on_time(stage, entry, data.get("control", ""), verdict, place.user)


def _times_of(stage: Stage, wanted: Sequence[Case]) -> dict[tuple[str, str], list[Passing]]:
    """All times on record of the doubtful controls of these cases, by (entry, control)."""
    pairs = {(case.entry, case.control) for case in wanted if case.control}
    _plan, of_stage = plan_of(stage)
    entries, controls = {UUID(entry) for entry, _c in pairs}, {UUID(control) for _e, control in pairs}
    crossings = EntryCrossing.objects.filter(entry__in=entries, control__in=controls, ts__gte=of_stage.from_ts)
    records = TimingRecord.objects.filter(entry__in=entries, control__in=controls, withdrawn_at=None)
    found = [Passing(row.ts, str(row.control), "", crossing=row) for row in crossings.exclude(direction="leave")]
    found += [Passing(milliseconds(r.ts), str(r.control), "", record=r) for r in records.select_related("author")]
    by_pair: dict[tuple[str, str], list[Passing]] = {}
    for one in sorted(found, key=lambda one: one.ts):
        row = one.crossing or one.record
        key = (str(row.entry_id) if row else "", one.control)
        if key in pairs and of_stage.contains(one.ts):
            by_pair.setdefault(key, []).append(one)
    return by_pair


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ValidationError(_("That case is gone: load the page again.")) from error
