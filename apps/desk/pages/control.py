"""Race control: what holds of the stage, who is ready, the log; each act adds a line (rulebook 8.3, 9.3, 9.4)."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.common.durations import as_duration
from apps.common.position import instant
from apps.common.said import of_error
from apps.desk import control
from apps.desk.control import draft, line_of, rights, typed_duration, typed_instant
from apps.desk.place import Place
from apps.desk.road import spots
from apps.penalties.words import code_in_words
from apps.racelog import services
from apps.racelog.domain.log import Kind
from apps.racelog.gate import names, report
from apps.racelog.models import LogLine
from apps.racelog.queries import reported_kinds
from apps.scoring import race_control
from apps.scoring.inputs import milliseconds
from apps.scoring.postponing import Postponed, waiting
from apps.timing.domain.start_order import StartOrderError

MINUTE = 60_000
ASKED = ("release", "green", "no-go", "take-back", "hear")


def show(place: Place) -> HttpResponse:
    """`?ask=` is the page that says what an act will do; `?do=` opens a form; `?show=all`, `?number=`, `?kind=`."""
    place.require("view", LogLine)
    if place.request.method == "POST":
        return _acted(place)
    if place.request.GET.get("ask") in ASKED:
        return _ask(place, place.request.GET["ask"], "")
    return _page(place, "")


def _page(place: Place, error: str) -> HttpResponse:
    data = place.request.GET
    road = spots(place.stage) if place.stage else []
    context = {
        "control": control.control_of(place),
        "rights": rights(place),
        "undoable": control.undoable(place),
        "road": road,
        "starts": [spot for spot in road if spot.end == "start"],
        "incidents": [(kind, code_in_words(kind)) for kind in control.INCIDENTS],
        "reported": [(kind, code_in_words(kind)) for kind in reported_kinds(place.event)],
        "do": data.get("do", "") or place.request.POST.get("act", ""),
        "show_all": data.get("show") == "all",
        "number": data.get("number", ""),
        "kinds": LogLine._meta.get_field("kind").flatchoices,
        "kind": data.get("kind", ""),
        "error": error,
        "typed": place.request.POST,
        "begun": place.stage is not None and place.stage.starts_at <= timezone.now(),
    }
    return place.show("control", context, title=_("Race control"), page="control")


def _acted(place: Place) -> HttpResponse:
    act = place.request.POST.get("act", "")
    if act not in ACTS:
        messages.error(place.request, _("Choose what to do."))
        return redirect(place.link("control"))
    try:
        messages.success(place.request, ACTS[act](place))
        return redirect(place.link("control"))
    except StartOrderError as error:
        told = of_error(error, _)
    except ValidationError as error:
        told = " ".join(error.messages)
    return _ask(place, act, told) if act in ASKED else _page(place, told)


def _ask(place: Place, act: str, error: str) -> HttpResponse:
    """The page that says what will happen, and asks for the reason."""
    data = place.request.POST if place.request.method == "POST" else place.request.GET
    line = line_of(place, data["line"]) if data.get("line") else None
    context: dict[str, Any] = {
        "act": act, "error": error, "line": line, "about": data.get("about", ""), "typed": place.request.POST,
        "who": names(place.stage).get(data.get("about", ""), ""),
    }  # fmt: skip
    if act in ("release", "green"):
        context |= _going_on(place, Kind(act))
    return place.show("control_ask", context, title=_("Race control"), page="control")


def _going_on(place: Place, kind: Kind) -> dict[str, Any]:
    """Who starts when if the starts go on: the first of them at the next whole minute but one."""
    stage = place.the_stage()
    since = race_control.goes_on_from(stage, kind)
    rows = waiting(stage, since) if since is not None else []
    soon = -(-(milliseconds(timezone.now()) + MINUTE) // MINUTE) * MINUTE
    first = max(soon, rows[0].start_ms) if rows else None
    by_ms = first - rows[0].start_ms if first else 0
    return {
        "since": since,
        "elsewhere": race_control.held_elsewhere(stage) if kind is Kind.RELEASE else "",
        "waiting": rows,
        "moved": [(row, row.start_ms + by_ms) for row in rows[:8]],
        "first": instant(first) if first else None,
        "by_ms": by_ms,
        "other": place.control.red if kind is Kind.RELEASE else place.control.hold,
    }


def _write(kind: Kind) -> Callable[[Place], str]:
    def act(place: Place) -> str:
        return _told(services.write(place.user, draft(place, kind)))

    return act


def _go(kind: Kind) -> Callable[[Place], str]:
    def act(place: Place) -> str:
        line = report(place.user, draft(place, kind, about=place.request.POST.get("about", "")))
        return f"{line.data['who']}: {line.get_kind_display()}"

    return act


def _going(kind: Kind) -> Callable[[Place], str]:
    def act(place: Place) -> str:
        first = typed_instant(place.request.POST.get("first", ""))
        _line, moved = race_control.release(place.user, draft(place, kind), milliseconds(first) if first else None)
        return _moved(moved)

    return act


def _moved(moved: Postponed | None) -> str:
    if moved is None:
        return _("The starts go on; nobody on the start list moves.")
    words = {"count": len(moved.numbers), "by": as_duration(moved.by_ms)}
    return _("The starts go on: %(count)d crews start %(by)s later, and a new start list is published.") % words


def _incident(place: Place) -> str:
    return _told(services.incident(place.user, draft(place, Kind.INCIDENT), place.request.POST.get("what", "")))


def _false_start(place: Place) -> str:
    gained = typed_duration(place.request.POST.get("gained", ""))
    line = services.report_false_start(place.user, draft(place, Kind.FALSE_START), gained)
    return _("%(line)s, number %(number)d: the penalty follows by the event's rules.") % {
        "line": line.get_kind_display(), "number": line.entry.race_number if line.entry else 0,
    }  # fmt: skip


def _hear(place: Place) -> str:
    protest = line_of(place, place.request.POST.get("line", ""))
    return _told(services.hear(place.user, protest, draft(place, Kind.HEARD)))


def _take_back(place: Place) -> str:
    line = line_of(place, place.request.POST.get("line", ""))
    race_control.take_back(place.user, line, place.request.POST.get("text", ""))
    return _("%(line)s: taken back. Both lines stay in the log.") % {"line": line.get_kind_display()}


def _told(line: LogLine) -> str:
    return _("Written: %(line)s.") % {"line": line.get_kind_display()}


ACTS: Mapping[str, Callable[[Place], str]] = {
    "note": _write(Kind.NOTE),
    "hold": _write(Kind.HOLD),
    "red": _write(Kind.RED),
    "protest": _write(Kind.PROTEST),
    "go": _go(Kind.GO),
    "no-go": _go(Kind.NO_GO),
    "release": _going(Kind.RELEASE),
    "green": _going(Kind.GREEN),
    "incident": _incident,
    "false-start": _false_start,
    "hear": _hear,
    "take-back": _take_back,
}
