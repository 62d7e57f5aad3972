"""Acts of race control. Each asks the policy, holds the event's log, and adds a line; none changes one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.accounts.policy import may, require
from apps.common.audit import because
from apps.course.models import Stage
from apps.events.models import Entry, Event
from apps.penalties.domain import false_start
from apps.penalties.models import EntryIncident
from apps.racelog.domain import log
from apps.racelog.domain.log import Kind
from apps.racelog.models import LogLine
from apps.racelog.queries import reported_kinds, state_lines

# The act that the policy is asked for; a kind that is not here is a line that whoever may add one may write.
ACTS: Mapping[Kind, str] = {
    Kind.GO: "report_ready",
    Kind.NO_GO: "report_ready",
    Kind.HOLD: "hold_start",
    Kind.RELEASE: "hold_start",
    Kind.RED: "stop_stage",
    Kind.GREEN: "stop_stage",
    Kind.NOTIONAL: "stop_stage",
    Kind.SETTLED: "decide",
    Kind.PROTEST: "hear_protest",
    Kind.HEARD: "hear_protest",
}
OF_STAGE = frozenset(Kind) - {Kind.NOTE, Kind.INCIDENT, Kind.PROTEST, Kind.HEARD, Kind.DONE, Kind.TAKEN_BACK}
OF_ENTRY = frozenset({Kind.FALSE_START, Kind.SETTLED, Kind.PROTEST})
WORDS: Mapping[Kind, Any] = {
    Kind.NOTE: gettext_lazy("Write something."),
    Kind.NO_GO: gettext_lazy("Say what is missing."),
    Kind.HOLD: gettext_lazy("Say why the starts are held."),
    Kind.RELEASE: gettext_lazy("Say why the starts are released."),
    Kind.INCIDENT: gettext_lazy("Say what happened."),
    Kind.SETTLED: gettext_lazy("Say why it is settled: it stays in the log."),
    Kind.PROTEST: gettext_lazy("Say what the protest is about."),
    Kind.HEARD: gettext_lazy("Say what was decided about the protest."),
    Kind.TAKEN_BACK: gettext_lazy("Say why it is taken back: both lines stay in the log."),
}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something happened: a control, words, a position in degrees; what is not known is empty."""

    control: UUID | None = None
    name: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A line before it is written; `at` None = now. `about` and `data` by kind (`apps.racelog.domain.log`)."""

    event: Event
    kind: Kind
    stage: Stage | None = None
    entry: Entry | None = None
    text: str = ""
    about: str = ""
    at: datetime | None = None
    spot: Spot = Spot()
    data: Mapping[str, Any] = field(default_factory=dict)


def write(user: User, draft: Draft) -> LogLine:
    """Add a line. Raises PermissionDenied, and ValidationError for what is missing or cannot be now."""
    row = _row(user, draft)
    require_act(user, row)
    _refuse(_lacks(row))
    with transaction.atomic(), because(row.text):
        hold(draft.event)
        _refuse(_cannot(row, state_lines(draft.event.pk)))
        row.save(force_insert=True)
    return row


def report(user: User, draft: Draft, kind: str, value_ms: int = 0) -> LogLine:
    """A line about a crew that the rules look at as well: a false start, a reported incident (`EntryIncident.kind`).

    `value_ms` is what was measured, e.g. the time gained. Raises as `write`, and without an entry or a stage.
    """
    if draft.entry is None or draft.stage is None:
        raise ValidationError(_("Name the crew and the stage: the penalty is theirs."))
    with transaction.atomic():
        incident = EntryIncident(
            entry=draft.entry, stage=draft.stage, kind=kind, at=draft.at or timezone.now(), value_ms=value_ms,
            note=draft.text, author=user,
        )  # fmt: skip
        require(user, "add", incident)
        incident.full_clean()
        incident.save()
        data = {**draft.data, "incident": str(incident.pk), "code": kind, "value_ms": value_ms}
        return write(user, replace(draft, data=data))


def report_false_start(user: User, draft: Draft, gained_ms: int) -> LogLine:
    """A false start as a marshal or a detector saw it (rulebook 5.1); its penalty follows by the event's rules."""
    return report(user, draft, false_start.TYPE, gained_ms)


def incident(user: User, draft: Draft, what: str) -> LogLine:
    """What happened, by a word for it; one that a penalty formula of the event names is told to the rules as well.

    Raises as `write`, or as `report`.
    """
    known = what in reported_kinds(draft.event)
    draft = replace(draft, kind=Kind.INCIDENT, data={"what": what})
    return report(user, draft, what) if known else write(user, draft)


def hear(user: User, protest: LogLine, draft: Draft) -> LogLine:
    """A protest was heard; the text says what was decided. Raises as `write`, also for what is no open protest."""
    of = replace(draft, stage=protest.stage, entry=protest.entry, about=str(protest.pk))
    return write(user, replace(of, kind=Kind.HEARD))


def take_back(user: User, line: LogLine, reason: str) -> LogLine:
    """Take a line back by another one; what it reported to the rules is withdrawn.

    Raises PermissionDenied to who may not do what the line did, ValidationError without a reason, for a line that was
    taken back before, and for one on which a later one rests. What acts of scoring did is taken back by
    `apps.scoring.race_control.take_back`, which calls this.
    """
    require_act(user, line)
    draft = Draft(line.event, Kind.TAKEN_BACK, line.stage, line.entry, reason.strip(), spot=Spot(name=line.place))
    row = _row(user, draft)
    row.takes_back = line
    _refuse(_lacks(row))
    with transaction.atomic(), because(row.text):
        hold(line.event)
        _refuse(_stays(line))
        _withdraw(user, line, row.text)
        row.save(force_insert=True)
    return row


def tell(author: User, event: Event, stage: Stage | None, text: str) -> None:
    """What was done elsewhere, by an act that has asked the policy: a stage opened or closed, results published."""
    row = _row(author, Draft(event, Kind.DONE, stage, text=text))
    row.save(force_insert=True)


def hold(event: Event) -> None:
    """Hold an event's log until the transaction ends: one official acts after the other."""
    Event.objects.select_for_update(no_key=True).only("pk").get(pk=event.pk)


def may_act(user: User, kind: Kind, event: Event) -> bool:
    """Whether `user` may write a line of a kind: for menus."""
    if kind is Kind.FALSE_START and not may(user, "add", EntryIncident, event=event):
        return False
    return may(user, ACTS[kind], event) if kind in ACTS else may(user, "add", LogLine, event=event)


def require_act(user: User, line: LogLine) -> None:
    """Raises PermissionDenied where `user` may not do what the line says."""
    act = ACTS.get(Kind(line.kind))
    if act is None:
        require(user, "add", line)
    else:
        require(user, act, line.event)


def require_may(user: User, draft: Draft) -> None:
    """Raises PermissionDenied where `user` may not write the line: asked before what it does."""
    require_act(user, _row(user, draft))


def _row(user: User, draft: Draft) -> LogLine:
    return LogLine(
        event=draft.event, stage=draft.stage, kind=draft.kind.value, at=draft.at or timezone.now(), author=user,
        entry=draft.entry, control=draft.spot.control, place=draft.spot.name.strip()[:200],
        latitude=draft.spot.latitude, longitude=draft.spot.longitude, text=draft.text.strip()[:2000],
        about=draft.about, data=dict(draft.data),
    )  # fmt: skip


def _refuse(why: str) -> None:
    if why:
        raise ValidationError(why)


def _lacks(row: LogLine) -> str:
    """What a line lacks, as a sentence; empty where it lacks nothing."""
    kind = Kind(row.kind)
    if kind in OF_STAGE and row.stage is None:
        return _("Choose the stage.")
    if kind in OF_ENTRY and row.entry is None:
        return _("Name the crew.")
    if any(one is not None and one.event_id != row.event_id for one in (row.stage, row.entry)):
        return _("That belongs to another event.")
    if kind in (Kind.GO, Kind.NO_GO, Kind.SETTLED) and not row.about:
        return _("Say what it is about.")
    return "" if row.text or kind not in WORDS else str(WORDS[kind])


def _cannot(row: LogLine, lines: list[log.Line]) -> str:
    """Why a line cannot be written now, as a sentence; empty where it can."""
    state = log.stage_state(lines, str(row.stage_id or ""))
    impossible = {
        Kind.HOLD: (state.hold is not None, _("The starts are held already.")),
        Kind.RELEASE: (state.hold is None, _("The starts are not held.")),
        Kind.RED: (state.red is not None, _("The stage is stopped already.")),
        Kind.GREEN: (state.red is None, _("The stage is not stopped.")),
        Kind.HEARD: (
            row.about not in {one.id for one in log.open_protests(lines)}, _("This protest was heard, or is gone."),
        ),
        Kind.NOTIONAL: (row.about not in {one.id for one in state.stops}, _("This red signal was taken back.")),
    }  # fmt: skip
    wrong, why = impossible.get(Kind(row.kind), (False, ""))
    return why if wrong else ""


def _stays(line: LogLine) -> str:
    """Why a line cannot be taken back, as a sentence; empty where it can."""
    if line.kind == Kind.DONE.value:
        return _("It was done elsewhere, and is taken back there.")
    if line.kind == Kind.TAKEN_BACK.value:
        return _("Write it again instead: what takes a line back stays.")
    lines = state_lines(line.event_id)
    if LogLine.objects.filter(takes_back=line).exists():
        return _("It was taken back before.")
    later = next((one for one in lines if one.id == str(line.pk)), None)
    rests = later and log.rests_on(later, lines)
    if rests:
        kinds = dict(LogLine._meta.get_field("kind").flatchoices)
        return _("Take back what came after it first: %(kind)s.") % {"kind": kinds[rests.kind.value]}
    return ""


def _withdraw(user: User, line: LogLine, reason: str) -> None:
    incident = EntryIncident.objects.filter(pk=line.data.get("incident"), withdrawn_at=None).first()
    if incident is not None:
        require(user, "change", incident)
        incident.withdrawn_at, incident.withdrawn_reason = timezone.now(), reason
        incident.save(update_fields=["withdrawn_at", "withdrawn_reason", "updated_at"])
