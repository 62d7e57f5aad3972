"""Commands to the trackers of an event: what was said to which, what came back, and saying something."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.policy import fields, may, require
from apps.catalog.models import Device
from apps.commands import services
from apps.commands.models import Command, CommandState
from apps.desk.command_form import CommandForm, allowed, carried
from apps.desk.place import Place
from apps.events.models import EntryDevice

MOST = 500
# How a state looks: good, under way, bad.
LOOKS = {
    CommandState.RESPONDED: "is-finished",
    CommandState.DELIVERED: "is-on-course",
    CommandState.QUEUED: "",
    CommandState.EXPIRED: "warn",
    CommandState.TIMEOUT: "warn",
    CommandState.FAILED: "is-retired",
    CommandState.NACK: "is-retired",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A command and whose tracker it went to; `number` is None once that is no entry's any more."""

    command: Command
    number: int | None
    look: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What was said at one go: its lines, how many are in each state, and whether any still waits."""

    key: str
    first: Command
    lines: Sequence[Line]
    states: Sequence[tuple[str, int, str]]
    waits: bool


def show(place: Place) -> HttpResponse:
    """A POST asks once more what is going to happen, and sends when that comes back confirmed; or withdraws."""
    place.require("view", "commands")
    if place.request.method != "POST":
        return _page(place, CommandForm(place.event) if _may_send(place) else None)
    require(place.user, "send_command", place.event.organization)
    if place.request.POST.get("act") == "withdraw":
        return _withdrawn(place)
    form = CommandForm(place.event, place.request.POST)
    if not form.is_valid():
        return _page(place, form)
    try:
        services.check(place.user, form.order(), _devices(form))
        if "confirmed" not in place.request.POST:
            return _page(place, form, confirm=form.sentence())
        sent = services.send_all(place.user, form.order(), _devices(form))
    except ValidationError as error:
        form.add_error(None, error.messages)
        return _page(place, form)
    said = ngettext("%d command is on its way.", "%d commands are on their way.", len(sent)) % len(sent)
    messages.success(place.request, said)
    return redirect(place.link("commands"))


def _may_send(place: Place) -> bool:
    return may(place.user, "send_command", place.event.organization)


def _devices(form: CommandForm) -> list[Device]:
    return list({row.device_id: row.device for row in form.trackers}.values())


def _withdrawn(place: Place) -> HttpResponse:
    try:
        keys = [UUID(key) for key in place.request.POST.getlist("command")]
    except ValueError:
        keys = []
    count = services.withdraw(place.user, place.event.organization, keys)
    if count:
        said = ngettext("%d command is withdrawn.", "%d commands are withdrawn.", count) % count
        messages.success(place.request, said)
    else:
        messages.error(place.request, _("Nothing is left to withdraw: all of it was sent already."))
    return redirect(place.link("commands"))


def _page(place: Place, form: CommandForm | None, confirm: str = "") -> HttpResponse:
    context = {
        "sent": _sent(place),
        "form": form,
        "confirm": confirm,
        "allowed": allowed(place.user, place.event) if form else [],
        "imeis": "device" in fields(place.user, EntryDevice, event=place.event),
        "may_send": _may_send(place),
    }
    return place.show("commands", context, title=_("Commands to trackers"), page="commands")


def _sent(place: Place) -> list[Sent]:
    """What was said to the event's trackers, the latest first; what was said together is one."""
    numbers = {row.device_id: row.entry.race_number for row in carried(place.event)}
    rows = Command.objects.filter(
        organization=place.event.organization_id, device__entry_links__entry__event=place.event
    )
    found: dict[str, list[Line]] = {}
    for row in rows.select_related("device__model", "author").distinct()[:MOST]:
        line = Line(row, numbers.get(row.device_id), LOOKS[CommandState(row.state)])
        found.setdefault(str(row.batch or row.pk), []).append(line)
    return [_together(key, of) for key, of in found.items()]


def _together(key: str, of: Iterable[Line]) -> Sent:
    lines = sorted(of, key=lambda line: (line.number is None, line.number or 0))
    counts = Counter(line.command.state for line in lines)
    states = [(str(state.label), counts[state], LOOKS[state]) for state in CommandState if counts[state]]
    waits = any(line.command.state == CommandState.QUEUED and line.command.sent_at is None for line in lines)
    return Sent(key, lines[0].command, lines, states, waits)
