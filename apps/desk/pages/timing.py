"""The timing desk: number, time, Enter. What is typed is never lost, and never written twice."""

import json
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.policy import require
from apps.common.audit import because
from apps.desk.place import Place
from apps.desk.road import Spot, spots
from apps.desk.timekeeping import SOURCES, RefusedError, Said, as_row, due, recent, understand
from apps.events.models import Entry
from apps.scoring.inputs import milliseconds
from apps.timing.models import TimingRecord
from apps.timing.services import NewRecord, record, withdraw


def show(place: Place) -> HttpResponse:
    """`?control=` is where times are taken; `?at=start` picks the start of the stage's first special."""
    place.require("record_time")
    stage = place.the_stage()
    road = spots(stage)
    spot = _chosen(place, road)
    context: dict[str, Any] = {"road": road, "spot": spot, "entries": Entry.objects.filter(event=place.event).exists()}
    if spot is not None:
        context |= {"due": due(stage, spot)[:12], "data": _data(place, spot)}
    return place.show("timing", context, title=_("Timing desk"), page="timing")


def write(place: Place) -> HttpResponse:
    """One typed time as JSON. 200 written, 409 in doubt (send it again with `sure`), 400 refused with the reason."""
    if place.request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    place.require("record_time")
    try:
        return _written(place, _said(place.request.body))
    except RefusedError as error:
        return _refused(str(error))
    except ValidationError as error:
        return _refused(" ".join(error.messages))


def undo(place: Place) -> HttpResponse:
    """Withdraw a record, with a reason: another act, the record stays."""
    if place.request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    place.require("record_time")
    try:
        return _row(as_row(_withdrawn(place, _body(place.request.body))))
    except RefusedError as error:
        return _refused(str(error))
    except ValidationError as error:
        return _refused(" ".join(error.messages))


def _withdrawn(place: Place, body: dict[str, Any]) -> TimingRecord:
    rows = TimingRecord.objects.filter(entry__event=place.event)
    row = get_object_or_404(rows, pk=_uuid(body.get("id")))
    reason = str(body.get("reason", ""))
    with because(reason):
        return withdraw(row, place.user, reason)


def _written(place: Place, said: Said) -> HttpResponse:
    before = TimingRecord.objects.filter(pk=said.id, entry__event=place.event).select_related("entry", "author").first()
    if before is not None:
        return _row(as_row(before))  # it came before, and only the answer was lost
    read = understand(place.the_stage(), said)
    if read.to_ask:
        answer = {"doubts": read.to_ask, "number": read.entry.race_number, "ts": read.ts}
        return JsonResponse({**answer, "now": milliseconds(timezone.now())}, status=409)
    new = NewRecord(said.id, read.entry, UUID(said.control), said.source, read.instant)
    require(place.user, "add", TimingRecord, event=place.event)
    return _row(as_row(record(new, place.user)))


def _row(row: dict[str, Any]) -> HttpResponse:
    return JsonResponse({"row": row, "now": milliseconds(timezone.now())})


def _refused(reason: str) -> HttpResponse:
    return JsonResponse({"refused": reason, "now": milliseconds(timezone.now())}, status=400)


def _chosen(place: Place, road: list[Spot]) -> Spot | None:
    asked = place.request.GET.get("control", "")
    if asked:
        found = next((spot for spot in road if spot.id == asked), None)
        if found is None:
            raise Http404(_("This stage has no such control."))
        return found
    wanted = place.request.GET.get("at", "")
    return next((spot for spot in road if wanted and spot.end == wanted), None)


def _data(place: Place, spot: Spot) -> dict[str, Any]:
    """What the page's module needs: the numbers there are, what was written here, and its words."""
    stage = place.the_stage()
    numbers = Entry.objects.filter(event=place.event).values_list("race_number", flat=True)
    return {
        "control": spot.id,
        "name": spot.name,
        "write": place.link("timing_write"),
        "undo": place.link("timing_undo"),
        "numbers": list(numbers),
        "rows": [as_row(row) for row in recent(stage, spot.id)],
        "sources": [[str(source), str(source.label)] for source in SOURCES],
        "store": f"trm-desk-{place.user.pk}-{stage.pk}",
        "zone": place.event.time_zone,
        "now": milliseconds(timezone.now()),
        "words": _words(),
    }


def _words() -> dict[str, str]:
    """What the module says, in the official's language."""
    return {
        "unknown": _("There is no entry {number}."),
        "noTime": _("Type a time: 10:23:45.6 or 102345, or press N for now."),
        "again": _("{number} has a time here already: {time}. Enter writes this one too."),
        "sending": _("sending …"),
        "waiting": _("not sent yet"),
        "written": _("written"),
        "withdrawn": _("withdrawn"),
        "inDoubt": _("not written"),
        "refused": _("refused"),
        "anyway": _("Write it anyway"),
        "drop": _("Drop it"),
        "undo": _("Undo"),
        "why": _("Why is this time taken back?"),
        "typing": _("typing error"),
        "offline": _("No connection. {count} kept here and sent as soon as it is back."),
        "unsent": _("{count} not sent yet."),
        "signIn": _("Sign in again in another tab, then come back: nothing is lost."),
        "otherControl": _("at another control"),
        "none": _("Nothing entered at this control yet. Type a race number."),
    }


def _said(body: bytes) -> Said:
    """Raises RefusedError naming the field."""
    content = _body(body)
    try:
        at = int(content.get("at", 0))
    except (TypeError, ValueError) as error:
        raise RefusedError(_("at: epoch milliseconds are needed.")) from error
    return Said(
        id=_uuid(content.get("id")),
        number=str(content.get("number", "")),
        time=str(content.get("time", "")),
        control=str(content.get("control", "")),
        source=str(content.get("source", "")),
        at=at,
        accepted=frozenset(map(str, content.get("accepted") or ())),
    )


def _body(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError as error:
        raise RefusedError(_("The request is no JSON.")) from error
    if not isinstance(content, dict):
        raise RefusedError(_("The request is no JSON object."))
    return content


def _uuid(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise RefusedError(_("id: a UUID is needed.")) from error
