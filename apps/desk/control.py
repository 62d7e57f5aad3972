"""What race control types, read: when, whom, where; and what holds of a stage as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.common.position import instant
from apps.course.models import Stage
from apps.desk import queries
from apps.desk.domain import clock
from apps.desk.place import Place
from apps.desk.road import spots
from apps.events.models import Entry
from apps.racelog.domain.log import Kind, StageState
from apps.racelog.gate import Gate, gate
from apps.racelog.models import LogLine
from apps.racelog.queries import timeline, waiting_protests
from apps.racelog.services import Draft, Spot, may_act
from apps.scoring.inputs import milliseconds

SHOWN = 150
# What happens to a crew that no penalty formula need know of.
INCIDENTS = ("accident", "injury", "breakdown", "blocked", "fire", "other")


@dataclass(frozen=True, slots=True)
class Control:
    """The race-control page: what holds, and the end of the log, latest first."""

    state: StageState
    gate: Gate | None
    holder: LogLine | None
    stopper: LogLine | None
    stops: Sequence[LogLine]
    protests: Sequence[LogLine]
    lines: Sequence[LogLine]
    more: bool


def control_of(place: Place) -> Control:
    """Everything the page shows, in a constant number of queries."""
    state = place.control
    rows = {str(row.pk): row for row in _standing(place, state)}
    found = list(_shown(place)[: SHOWN + 1])
    return Control(
        state=state,
        gate=gate(place.stage, state) if place.stage else None,
        holder=rows.get(state.hold.id) if state.hold else None,
        stopper=rows.get(state.red.id) if state.red else None,
        stops=[rows[one.id] for one in state.stops if one.id in rows],
        protests=waiting_protests(place.event, None, place.log),
        lines=found[:SHOWN],
        more=len(found) > SHOWN,
    )


def rights(place: Place) -> dict[str, bool]:
    """Which lines the user may write, by the name the template asks for."""
    return {kind.name.lower(): may_act(place.user, kind, place.event) for kind in Kind}


def undoable(place: Place) -> list[str]:
    """The kinds of lines that the user may take back."""
    mine = [
        kind for kind in Kind if kind not in (Kind.TAKEN_BACK, Kind.DONE) and may_act(place.user, kind, place.event)
    ]
    reports = place.may("change", "entry_incidents")
    return [kind.value for kind in mine if reports or kind is not Kind.FALSE_START]


def draft(place: Place, kind: Kind, **more: Any) -> Draft:
    """What the form says of a line. Raises ValidationError naming what cannot be read."""
    data = place.request.POST
    entry = entry_of(place, data.get("number", ""))
    at = typed_instant(data.get("at", ""))
    given: dict[str, Any] = {"entry": entry, "at": at, "text": data.get("text", ""), "spot": _spot(place, entry)}
    return Draft(place.event, kind, **({"stage": place.stage} | given | more))


def entry_of(place: Place, number: str) -> Entry | None:
    """The entry of a race number as typed, None for nothing. Raises ValidationError for one there is not."""
    text = number.strip()
    if not text:
        return None
    found = Entry.objects.filter(event=place.event, race_number=int(text)).first() if text.isdecimal() else None
    if found is None:
        raise ValidationError(_("There is no race number %(number)s.") % {"number": text})
    return found


def typed_instant(text: str, around: int | None = None) -> Any:
    """A time of day on the date nearest to `around` (epoch ms; else to now), None for nothing typed."""
    if not text.strip():
        return None
    try:
        typed = clock.read(text)
    except ValueError as error:
        raise ValidationError(_("%(text)s is no time; type 10:23:45.6 or 102345.") % {"text": text}) from error
    near = milliseconds(timezone.now()) if around is None else around
    return instant(clock.nearest(typed, near, timezone.get_current_timezone()))


def typed_duration(text: str) -> int:
    """Milliseconds of a duration as typed, 0 for nothing. Raises ValidationError."""
    try:
        return clock.read_duration(text) if text.strip() else 0
    except ValueError as error:
        raise ValidationError(_("%(text)s is no duration; type 90, 1:30 or 1:02:03.") % {"text": text}) from error


def line_of(place: Place, id: str) -> LogLine:
    """A line of the event's log. Raises Http404, and ValidationError for what is no id."""
    try:
        key = UUID(id)
    except ValueError as error:
        raise ValidationError(_("That line is gone: load the page again.")) from error
    return get_object_or_404(timeline(place.event), pk=key)


def _spot(place: Place, entry: Entry | None) -> Spot:
    """The control or the words that were given; of a crew also where its tracker was last."""
    data = place.request.POST
    chosen, words = data.get("control", ""), data.get("place", "").strip()
    found = next((one for one in spots(place.stage) if one.id == chosen), None) if place.stage and chosen else None
    latitude, longitude = _last_fix(place.stage, entry)
    name = " · ".join(part for part in (f"{found.segment}: {found.name}" if found else "", words) if part)
    return Spot(UUID(found.id) if found else None, name, latitude, longitude)


def _last_fix(stage: Stage | None, entry: Entry | None) -> tuple[float | None, float | None]:
    if stage is None or entry is None:
        return None, None
    row = next((one for one in queries.field(str(stage.pk)) if one.entry == str(entry.pk)), None)
    return (row.lat, row.lon) if row else (None, None)


def _standing(place: Place, state: StageState) -> Sequence[LogLine]:
    wanted = [one.id for one in (state.hold, state.red, *state.stops) if one]
    return list(LogLine.objects.filter(pk__in=wanted).select_related("author")) if wanted else []


def _shown(place: Place) -> Any:
    """The lines asked for: of the stage and of the event as a whole, or all; of one crew; of one kind."""
    rows = timeline(place.event).order_by("-at", "-created_at")
    data = place.request.GET
    if data.get("show") != "all" and place.stage:
        rows = rows.filter(stage=place.stage) | rows.filter(stage=None)
    if data.get("number", "").isdecimal():
        rows = rows.filter(entry__race_number=int(data["number"]))
    return rows.filter(kind=data["kind"]) if data.get("kind") in list(Kind) else rows
