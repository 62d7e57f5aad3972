"""Takes an event away, readings before rows: for events that were made to be looked at, as a demo or a replay."""

from collections.abc import Callable

from apps.course.models import Geofence, Segment, SpeedLimitZone, Stage, Waypoint
from apps.events.models import Entry, Event, RaceClass
from apps.penalties.models import Decision, EntryIncident, EntryPenalty, PenaltyFormula
from apps.racelog.models import LogLine
from apps.scoring.models import EventResult, OutboxRow, ResultRevision, StageResult
from apps.timing.models import EntryCrossing, EntrySegmentStart, StartList, StartOverride, TimingRecord

# What apps above this one have hanging on an event: each adds the function that takes its rows away.
HANGS_ON: list[Callable[[Event], None]] = []


def remove_event_rows(event: Event) -> None:
    """The event with all that hangs on it, but for vehicles, trackers, people and positions."""
    for remove in HANGS_ON:
        remove(event)
    LogLine.objects.filter(event=event, takes_back__isnull=False).delete()
    LogLine.objects.filter(event=event).delete()
    OutboxRow.objects.filter(topic__startswith=f"leaderboard:{event.id}").delete()
    ResultRevision.objects.filter(event=event).delete()
    StartList.objects.filter(stage__event=event).delete()
    for model in (
        EntryCrossing, TimingRecord, EntrySegmentStart, StartOverride, EntryPenalty, EntryIncident, StageResult,
        EventResult,
    ):  # fmt: skip
        model.objects.filter(entry__event=event).delete()
    Decision.objects.filter(event=event).delete()
    Entry.objects.filter(event=event).delete()
    PenaltyFormula.objects.filter(event=event).delete()
    SpeedLimitZone.objects.filter(segment__stage__event=event).delete()
    Waypoint.objects.filter(segment__stage__event=event).delete()
    Segment.objects.filter(stage__event=event).delete()
    Stage.objects.filter(event=event).delete()
    Geofence.objects.filter(event=event).delete()
    RaceClass.objects.filter(event=event).delete()
    event.delete()
