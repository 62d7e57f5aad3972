"""An entry in a stage with all its result rests on, and one crossing with its two fixes on the map."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from apps.accounts.admin_comments import comment_url
from apps.accounts.comments import comments_of
from apps.accounts.policy import fields
from apps.common.audit import because
from apps.desk import evidence
from apps.desk.place import Place
from apps.events.models import Entry
from apps.penalties.models import Decision, EntryPenalty
from apps.scoring.models import EventResult, StageResult
from apps.timing.models import EntryCrossing, TimingRecord
from apps.timing.services import withdraw


def entry(place: Place, entry: UUID) -> HttpResponse:
    """The result of an entry in the stage: times, penalties, passings, decisions."""
    entries = Entry.objects.filter(event=place.event)
    row = get_object_or_404(entries.select_related("race_class").prefetch_related("crew"), pk=entry)
    stage = place.the_stage()
    result = StageResult.objects.filter(entry=row, stage=stage).first()
    numbers = list(entries.values_list("race_number", "pk"))
    here = [number for number, _pk in numbers].index(row.race_number)
    passed = evidence.passings(row, stage)
    context = {
        "entry": row,
        "crew": " / ".join(str(person) for person in row.crew.all()),
        "result": result,
        "times": evidence.times(result, stage, passed),
        "passings": passed,
        "overall": EventResult.objects.filter(entry=row, event=place.event).first(),
        "stages_driven": StageResult.objects.filter(entry=row).select_related("stage").order_by("stage__sort_order"),
        "may_record": place.may("record_time"),
        "penalties": EntryPenalty.objects.filter(entry=row, stage=stage).select_related("author"),
        "decisions": Decision.objects.filter(event=place.event, entry=row).select_related("author", "stage"),
        "comments": comments_of(place.user, row),
        "comment_url": comment_url(row),
        "may_comment": place.may("add", "comments"),
        "before": numbers[here - 1] if here else None,
        "after": numbers[here + 1] if here + 1 < len(numbers) else None,
    }
    return place.show("entry", context, title=_("No. %d") % row.race_number, page="stage")


def record(place: Place, record: UUID) -> HttpResponse:
    """One recorded time: who wrote it, where, and taking it back, which a POST does with the reason."""
    place.require("view", TimingRecord)
    rows = TimingRecord.objects.filter(entry__event=place.event).select_related("entry", "author", "withdrawn_by")
    row, error = get_object_or_404(rows, pk=record), ""
    if place.request.method == "POST":
        place.require("record_time")
        reason = place.request.POST.get("reason", "")
        try:
            with because(reason):
                withdraw(row, place.user, reason)
            messages.success(place.request, _("The time is taken back: it stays on record, and counts no more."))
            return redirect(place.link("entry", row.entry_id))
        except ValidationError as refused:
            error = " ".join(refused.messages)
    plan, _of_stage = evidence.plan_of(place.the_stage())
    context = {
        "record": row,
        "control": plan.names.get(str(row.control), _("a control that is gone")),
        "may_record": place.may("record_time"),
        "error": error,
    }
    return place.show("record", context, title=_("Recorded time"), page="stage")


def crossing(place: Place, crossing: int) -> HttpResponse:
    """One crossing: the control, the chord, the place it cuts, and the fixes on both sides."""
    place.require("view", "entry_crossings")
    rows = EntryCrossing.objects.filter(entry__event=place.event).select_related("entry__event")
    row = get_object_or_404(rows, pk=crossing)
    fixes = evidence.fixes_around(row)
    plan, _stage = evidence.plan_of(place.the_stage())
    context = {
        "crossing": row,
        "control": plan.names.get(str(row.control), _("a control that is gone")),
        "fixes": fixes,
        "ends": (row.before_ts, row.after_ts),
        "drawing": evidence.drawn(row, fixes),
        "device": row.device if "device" in fields(place.user, EntryCrossing, event=place.event) else "",
        "chord_ms": row.after_ts - row.before_ts,
    }
    return place.show("crossing", context, title=_("Crossing"), page="stage")
