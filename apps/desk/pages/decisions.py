"""The decisions of an event: all of them, one to be made, one to be taken back."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from apps.common.audit import because
from apps.desk import decision_form
from apps.desk.acts import message
from apps.desk.decision_form import MADE_HERE, DecisionForm
from apps.desk.place import Place
from apps.penalties.domain.decisions import KINDS
from apps.penalties.models import Decision
from apps.scoring.decisions import revoke

MOST = 300


def show(place: Place) -> HttpResponse:
    """`?make=<kind>` opens the form of a kind; `?number=` lists one entry's decisions."""
    place.require("view", "decisions")
    if place.request.method == "POST":
        place.require("decide")
        return _made(place)
    kind = place.request.GET.get("make", "")
    form = None
    if kind in MADE_HERE and place.stage and place.may("decide"):
        form = DecisionForm(kind, place.stage, initial={"number": place.request.GET.get("number", "")})
    return _page(place, form, kind)


def take_back(place: Place, decision: UUID) -> HttpResponse:
    """Revoke a decision: says what will happen first, and needs a reason."""
    place.require("decide")
    rows = Decision.objects.filter(event=place.event).select_related("entry", "stage", "author")
    row = get_object_or_404(rows, pk=decision)
    error = ""
    if place.request.method == "POST":
        reason = place.request.POST.get("reason", "")
        try:
            with because(reason):
                revoke(row, place.user, reason)
            messages.success(place.request, _("Decision %d is revoked; the results follow.") % row.number)
            return redirect(place.link("decisions"))
        except ValidationError as refused:
            error = " ".join(refused.messages)
    return place.show("revoke", {"decision": row, "error": error}, title=_("Revoke"), page="decisions")


def _made(place: Place) -> HttpResponse:
    """Asks once more what is going to happen; makes the decision when that comes back confirmed."""
    kind = place.request.POST.get("kind", "")
    stage = place.the_stage()
    if kind not in MADE_HERE:
        return redirect(place.link("decisions"))
    form = DecisionForm(kind, stage, place.request.POST)
    if not form.is_valid():
        return _page(place, form, kind)
    if "confirmed" not in place.request.POST:
        return _page(place, form, kind, confirm=form.sentence())
    try:
        messages.success(place.request, message(place, decision_form.make(place, form)))
    except ValidationError as error:
        form.add_error(None, error.messages)
        return _page(place, form, kind)
    return redirect(place.link("decisions"))


def _page(place: Place, form: DecisionForm | None, kind: str, confirm: str = "") -> HttpResponse:
    rows = Decision.objects.filter(event=place.event).select_related("entry", "stage", "race_class", "author")
    number = place.request.GET.get("number", "")
    if number.isdecimal():
        rows = rows.filter(entry__race_number=int(number))
    context = {
        "decisions": rows.order_by("-number")[:MOST],
        "kinds": [(name, _(KINDS[name].title)) for name in MADE_HERE],
        "kind": kind,
        "form": form,
        "confirm": confirm,
        "may_decide": place.may("decide"),
        "number": number,
    }
    return place.show("decisions", context, title=_("Decisions"), page="decisions")
