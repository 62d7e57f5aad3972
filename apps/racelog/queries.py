"""What is read of the log."""

from uuid import UUID

from django.db.models import QuerySet

from apps.course.models import Geofence, Stage, Waypoint
from apps.events.models import Event
from apps.penalties.models import PenaltyFormula
from apps.racelog.domain.log import Kind, Line, open_protests
from apps.racelog.models import LogLine, RaceControlSettings

# What says nothing about what holds now.
TOLD_ONLY = (Kind.NOTE.value, Kind.INCIDENT.value, Kind.FALSE_START.value, Kind.DONE.value)


def state_lines(event: UUID) -> list[Line]:
    """The lines that say what holds in an event, in the order in which they were written."""
    rows = LogLine.objects.filter(event=event).exclude(kind__in=TOLD_ONLY)
    fields = rows.values_list("id", "kind", "stage_id", "at", "about", "entry_id", "takes_back_id")
    return [
        Line(
            id=str(id),
            kind=Kind(kind),
            stage=str(stage or ""),
            ts=round(at.timestamp() * 1000),
            about=str(takes_back) if takes_back else about,
            entry=str(entry or ""),
        )
        for id, kind, stage, at, about, entry, takes_back in fields
    ]


def settings_of(event: Event) -> RaceControlSettings:
    """The event's settings, or the defaults."""
    return RaceControlSettings.objects.filter(event=event).first() or RaceControlSettings(event=event)


def reported_kinds(event: Event) -> list[str]:
    """The kinds of incident that the event's formulas have a penalty for."""
    rows = PenaltyFormula.objects.filter(event=event, type="incident", enabled=True).exclude(target="")
    return sorted(set(rows.values_list("target", flat=True)))


def control_name(event: Event, control: UUID) -> str:
    """What a geofence or waypoint of an event is called with its segment, empty for what is none of it."""
    fence = Geofence.objects.filter(event=event, pk=control).first()
    if fence is not None:
        return str(fence)
    waypoint = Waypoint.objects.filter(segment__stage__event=event, pk=control).select_related("segment").first()
    return f"{waypoint.segment}: {waypoint}" if waypoint else ""


def timeline(event: Event) -> QuerySet[LogLine]:
    """All lines of an event with whom and what they are about, in the order in which they were written."""
    return LogLine.objects.filter(event=event).select_related("stage", "author", "entry", "taken_back__author")


def protests(event: Event, stage: Stage | None) -> list[LogLine]:
    """What was lodged and heard of a stage, or of the event and all its stages (None), and not taken back."""
    rows = timeline(event).filter(kind__in=(Kind.PROTEST.value, Kind.HEARD.value), taken_back=None)
    return list(rows if stage is None else rows.filter(stage=stage))


def waiting_protests(event: Event, stage: Stage | None, lines: list[Line] | None = None) -> list[LogLine]:
    """Those that nobody has heard yet, by the `lines` of the event where they are at hand. None: of every stage."""
    waiting = {line.id for line in open_protests(state_lines(event.pk) if lines is None else lines)}
    if not waiting:
        return []
    rows = LogLine.objects.filter(pk__in=waiting).select_related("entry", "stage", "author")
    return list(rows if stage is None else rows.filter(stage=stage))
