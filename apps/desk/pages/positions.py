"""The record of an entry's tracker: a window of fixes as a table and on a plan, flagged faulty and let go again."""

from collections.abc import Sequence
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
from apps.desk import fix_queries
from apps.desk.domain import clock
from apps.desk.drawing import Drawing, Scene, draw
from apps.desk.evidence import dot
from apps.desk.fix_queries import FixRow
from apps.desk.place import Place
from apps.events.models import Entry, EntryDevice
from apps.penalties.models import Decision
from apps.scoring.decisions import Draft, decide, revoke
from apps.scoring.inputs import milliseconds
from apps.scoring.plans import event_plan

MOST = 2000
MINUTES = (2, 10, 30, 120)


@dataclass(frozen=True, slots=True)
class Window:
    """Of a tracker (IMEI), epoch ms; both ends included."""

    device: str
    low: int
    high: int


def show(place: Place) -> HttpResponse:
    """`?number=` picks the entry, `?device=` its n-th tracker, `?until=` and `?minutes=` the window; a POST flags."""
    place.require("view", "positions")
    entry = _entry(place)
    links = _links(entry) if entry else []
    link = _chosen(place, links)
    window = _window(place, link) if link else None
    if place.request.method == "POST" and window:
        place.require("flag_faulty")
        return _act(place, window)
    context = {"entry": entry, "links": links, "link": link, "minutes": MINUTES, "asked": _asked(place)}
    if window:
        context |= _seen(place, window)
    return place.show("positions", context, title=_("Positions"), page="positions")


def _seen(place: Place, window: Window) -> dict[str, Any]:
    fixes = fix_queries.fixes(window.device, window.low, window.high, MOST)
    flags = Decision.objects.filter(event=place.event, kind="faulty_fixes", params__device=window.device)
    return {
        "window": window,
        "wide": round((window.high - window.low) / 60_000),
        "fixes": fixes,
        "cut": len(fixes) == MOST,
        "drawing": _drawing(place, fixes),
        "flags": flags.select_related("author").order_by("-number"),
        "may_flag": place.may("flag_faulty"),
        "faulty": sum(fix.faulty for fix in fixes),
        "earlier": window.low,
        "later": window.high + (window.high - window.low),
    }


def _act(place: Place, window: Window) -> HttpResponse:
    data = place.request.POST
    try:
        if data.get("act") == "revoke":
            messages.success(place.request, _let_go(place, data.get("decision", ""), data.get("reason", "")))
        else:
            messages.success(place.request, _flag(place, window))
    except ValidationError as error:
        messages.error(place.request, " ".join(error.messages))
    return redirect(place.request.get_full_path())


def _flag(place: Place, window: Window) -> str:
    """Decide that the fixes of a part of the window are faulty. Raises ValidationError."""
    data = place.request.POST
    low, high = (_typed(data.get(name, ""), window) for name in ("from", "to"))
    reason = data.get("reason", "").strip()
    if not reason:
        raise ValidationError(_("Give the reason: it stays with the decision."))
    params = {"device": window.device, "from_ts": low, "to_ts": high}
    with because(reason):
        decision = decide(Draft(place.event, "faulty_fixes", params, reason), place.user)
    return _("Decision %d: these fixes count no more, and the results follow. The fixes stay on record.") % (
        decision.number
    )


def _let_go(place: Place, decision: str, reason: str) -> str:
    rows = Decision.objects.filter(event=place.event, kind="faulty_fixes")
    try:
        row = get_object_or_404(rows, pk=UUID(decision))
    except ValueError as error:
        raise ValidationError(_("That decision is gone: load the page again.")) from error
    with because(reason):
        revoke(row, place.user, reason)
    return _("Decision %d is revoked: the fixes count again.") % row.number


def _typed(text: str, window: Window) -> int:
    try:
        typed = clock.read(text)
    except ValueError as error:
        raise ValidationError(_("%(text)s is no time; type 10:23:45.6 or 102345.") % {"text": text or "–"}) from error
    return clock.nearest(typed, (window.low + window.high) // 2, timezone.get_current_timezone())


def _drawing(place: Place, fixes: Sequence[FixRow]) -> Drawing | None:
    """The fixes with the controls they come near."""
    if not fixes:
        return None
    low, high = min(fix.lat for fix in fixes) - 0.002, max(fix.lat for fix in fixes) + 0.002
    west, east = min(fix.lon for fix in fixes) - 0.003, max(fix.lon for fix in fixes) + 0.003
    near = [
        control
        for control in event_plan(str(place.event.pk)).controls
        if all(low <= lat <= high and west <= lon <= east for lat, lon in control.points)
    ]
    return draw(Scene([dot(fix) for fix in fixes], near))


def _asked(place: Place) -> str:
    return place.request.GET.get("number", "").strip()


def _entry(place: Place) -> Entry | None:
    number = _asked(place)
    if not number.isdecimal():
        return None
    return Entry.objects.filter(event=place.event, race_number=int(number)).first()


def _links(entry: Entry) -> list[EntryDevice]:
    return list(entry.device_links.select_related("device__model").order_by("priority", "assigned_from"))


def _chosen(place: Place, links: Sequence[EntryDevice]) -> EntryDevice | None:
    asked = place.request.GET.get("device", "")
    return next((link for link in links if str(link.pk) == asked), links[0] if links else None)


def _window(place: Place, link: EntryDevice) -> Window:
    """What is asked for; without that, up to the tracker's last fix. Never beyond the assignment."""
    until, minutes = place.request.GET.get("until", ""), place.request.GET.get("minutes", "")
    low = milliseconds(link.assigned_from)
    high = milliseconds(link.assigned_until) - 1 if link.assigned_until else milliseconds(timezone.now())
    last = fix_queries.last_fix(link.device.imei, low, high)
    end = int(until) if until.isdecimal() else last if last is not None else high
    wide = min(int(minutes), 24 * 60) if minutes.isdecimal() and int(minutes) else 10
    end = min(max(end, low), high)
    return Window(link.device.imei, max(low, end - wide * 60_000), end)
