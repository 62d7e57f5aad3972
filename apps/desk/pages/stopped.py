"""A stopped stage: whom the red signal met, the times proposed by the rules, and awarding them (rulebook 8.3)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.course.models import Segment, SegmentType
from apps.desk.control import line_of, typed_duration
from apps.desk.place import Place
from apps.racelog.domain.log import Kind
from apps.racelog.models import LogLine
from apps.racelog.services import ACTS
from apps.scoring import interruptions
from apps.scoring.inputs import milliseconds
from apps.scoring.interruptions import Award, Cast, Met
from apps.timing.domain.interruption import Drive, Proposal, Seeding

SHOWN_RED, CAUSED = "red", "cause"


@dataclass(frozen=True, slots=True)
class Row:
    """A crew that was not home before the red signal, what officials say of it, and what is proposed."""

    met: Met
    role: str
    proposal: Proposal | None

    @property
    def why(self) -> str:
        """What the proposal follows, in words."""
        return why(self.proposal) if self.proposal and not self.met.notional else ""


def show(place: Place, line: UUID) -> HttpResponse:
    """`?role-<number>=red|cause`, `?aside=<number>` and `?seeding=` make the proposals; a POST awards them."""
    place.require("view", LogLine)
    red = line_of(place, str(line))
    if red.kind != Kind.RED.value or red.stage_id != place.the_stage().pk:
        return redirect(place.link("control"))
    specials = list(red.stage.segments.filter(type=SegmentType.SPECIAL_STAGE)) if red.stage else []
    chosen = place.request.POST.get("segment") or place.request.GET.get("segment")
    segment = next((one for one in specials if str(one.pk) == chosen), specials[0] if specials else None)
    if place.request.method != "POST" or segment is None:
        return _page(place, red, (segment, specials), "")
    place.require(ACTS[Kind.NOTIONAL])
    try:
        messages.success(place.request, _award(place, red, segment))
        return redirect(place.link("control"))
    except ValidationError as error:
        return _page(place, red, (segment, specials), " ".join(error.messages))


def _page(place: Place, red: LogLine, of: tuple[Segment | None, Sequence[Segment]], error: str) -> HttpResponse:
    segment, specials = of
    data = place.request.POST if place.request.method == "POST" else place.request.GET
    field = interruptions.field_of(segment) if segment else []
    cast = _cast(data, field, milliseconds(red.at))
    proposed = {one.entry: one for one in interruptions.proposed(field, red, cast)}
    rows = [_row(met, cast, proposed) for met in field if _concerned(met, milliseconds(red.at))]
    context = {
        "red": red,
        "segment": segment,
        "specials": specials,
        "rows": rows,
        "choices": _choices(field, proposed.values()),
        "aside": cast.anomalous,
        "seeding": cast.seeding,
        "seedings": ((Seeding.REVERSE, _("slowest first")), (Seeding.FASTEST_FIRST, _("fastest first"))),
        "green": interruptions.green_ts(red),
        "may_award": place.may(ACTS[Kind.NOTIONAL]),
        "error": error,
        "typed": data,
    }
    return place.show("stopped", context, title=_("Stopped stage"), page="control")


WHY: Mapping[str, Any] = {
    "4.36": gettext_lazy("4.36: caused the stop, keeps the time it drove"),
    "4.37": gettext_lazy("4.37: fastest before the red signal"),
    "4.38": gettext_lazy("4.38: first to finish after the restart"),
    "": gettext_lazy("fastest before the red signal; no rule for this order: officials choose"),
}


def why(proposal: Proposal) -> str:
    """The reason of a proposal in the reader's language."""
    told = str(WHY[proposal.article])
    if proposal.time_ms is not None or proposal.article == "4.36":
        return told
    return _("nobody has finished yet after the restart") if not proposal.choices else _("all times are set aside")


def _concerned(met: Met, red_ts: int) -> bool:
    return met.finish_ts is None or met.finish_ts > red_ts or met.notional


def _row(met: Met, cast: Cast, proposed: Mapping[str, Proposal]) -> Row:
    entry = str(met.entry.pk)
    role = CAUSED if entry in cast.causes else SHOWN_RED if entry in cast.shown else ""
    return Row(met, role, proposed.get(entry))


def _cast(data: QueryDict, field: Sequence[Met], red_ts: int) -> Cast:
    """What the form says; before it was sent, all who were on course were shown red and nobody caused it."""
    roles = dict(_roles(data, field, red_ts))
    aside = {one for one in data.getlist("aside") if one.isdecimal()}
    seeding = Seeding.REVERSE if data.get("seeding") == Seeding.REVERSE else Seeding.FASTEST_FIRST
    return Cast(
        shown=tuple(entry for entry, role in roles.items() if role in (SHOWN_RED, CAUSED)),
        causes=frozenset(entry for entry, role in roles.items() if role == CAUSED),
        anomalous=frozenset(str(met.entry.pk) for met in field if str(met.entry.race_number) in aside),
        seeding=seeding,
    )


def _roles(data: QueryDict, field: Sequence[Met], red_ts: int) -> Iterator[tuple[str, str]]:
    for met in field:
        if _concerned(met, red_ts):
            otherwise = "" if "seeding" in data else SHOWN_RED if met.on_course(red_ts) else ""
            yield str(met.entry.pk), data.get(f"role-{met.entry.race_number}", otherwise)


def _choices(field: Sequence[Met], proposed: Any) -> list[tuple[int, Drive]]:
    """The times that may be chosen, with the race number of each, in their order."""
    numbers = {str(met.entry.pk): met.entry.race_number for met in field}
    found = next((one.choices for one in proposed if one.choices), ())
    return [(numbers[drive.entry], drive) for drive in found]


def _award(place: Place, red: LogLine, segment: Segment) -> str:
    data = place.request.POST
    field = interruptions.field_of(segment)
    cast = _cast(data, field, milliseconds(red.at))
    proposed = {one.entry: one for one in interruptions.proposed(field, red, cast)}
    awards = [
        Award(
            met.entry, ms, found.article if (found := proposed.get(str(met.entry.pk))) and found.time_ms == ms else ""
        )
        for met in field
        if str(met.entry.pk) in set(cast.shown) - cast.causes
        and (ms := typed_duration(data.get(f"time-{met.entry.race_number}", "")))
    ]
    interruptions.award(place.user, red, segment, awards, data.get("text", ""))
    return _("%(count)d notional times are decided; the results follow within seconds.") % {"count": len(awards)}
