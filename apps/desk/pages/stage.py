"""The dashboard of a stage: counts with their lists, what is open, the race day."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.desk.board import Card, Line, cards, field_of
from apps.desk.place import Place
from apps.desk.race_day import day_of
from apps.desk.todo import todo
from apps.scoring.inputs import milliseconds
from apps.scoring.revisions import latest


def show(place: Place) -> HttpResponse:
    """`?show=` names the list that is open; the first that has anyone otherwise."""
    if place.stage is None:
        return place.show("no_stage", {}, title=_("No stage yet"), page="stage")
    now = milliseconds(timezone.now())
    lines = field_of(place.stage, now)
    counts = cards(lines)
    last = latest(place.event, place.stage)
    shown = _open(place, counts, lines)
    context = {
        "cards": counts,
        "open": shown,
        "timed": shown.name in ("started", "finished", "retired"),
        "tasks": todo(place, lines),
        "day": day_of(place),
        "now": now,
        "last": last,
        "protests": last if last and last.protest_until and last.protest_until > timezone.now() else None,
        "field": len(lines),
    }
    return place.show("stage", context, title=place.stage.name, page="stage")


def _open(place: Place, counts: list[Card], lines: list[Line]) -> Card:
    stopped = Card(
        "stopped",
        _("Stopped"),
        _("They send, but have not moved for 3 minutes."),
        [line for line in lines if line.stopped],
    )
    asked = place.request.GET.get("show", "")
    named = next((card for card in (*counts, stopped) if card.name == asked), None)
    order = ("overdue", "on-course", "expected", "finished")
    first = next((card for name in order for card in counts if card.name == name and card.lines), counts[0])
    return named or first
