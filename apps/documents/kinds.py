"""The kinds of documents: what each is of, who may have it, how it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, QuerySet

from apps.accounts.policy import may
from apps.accounts.rights import AnyUser
from apps.course.models import Stage
from apps.documents import classification, race_log
from apps.documents.decision_sheet import decision_sheet
from apps.documents.entry_list import entry_list
from apps.documents.paper import Paper
from apps.documents.penalty_list import penalty_list
from apps.documents.start_list import start_list
from apps.documents.time_sheet import time_sheet
from apps.events.audience import audience_of, is_official
from apps.events.models import Event
from apps.penalties.models import Decision
from apps.scoring.models import ResultRevision
from apps.timing.models import StartList


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks for a document, and when."""

    user: AnyUser
    now: datetime


@dataclass(frozen=True, slots=True)
class Kind:
    """`rows` are what a document of the kind is made of, each by its id."""

    rows: Callable[[], QuerySet[Any]]
    allowed: Callable[[Reader, Any], bool]
    paper: Callable[[Reader, Any], Paper]

    def find(self, id: Any) -> Model | None:
        found: Model | None = self.rows().filter(pk=id).first()
        return found


def _events() -> QuerySet[Event]:
    return Event.objects.select_related("organization")


def _stages() -> QuerySet[Stage]:
    return Stage.objects.select_related("event__organization")


def _start_lists() -> QuerySet[StartList]:
    return StartList.objects.select_related("stage__event__organization")


def _revisions() -> QuerySet[ResultRevision]:
    return ResultRevision.objects.select_related("event__organization", "stage", "published_by")


def _decisions() -> QuerySet[Decision]:
    related = ("event__organization", "stage", "entry__event", "race_class", "author", "revoked_by")
    return Decision.objects.select_related(*related)


def _reads_entries(reader: Reader, event: Event) -> bool:
    return may(reader.user, "view", "entries", event=event) and may(reader.user, "view", "entry_crew", event=event)


def _works_in(reader: Reader, stage: Stage) -> bool:
    """Times on record that nobody has published are the officials'."""
    return is_official(reader.user, stage.event) and may(reader.user, "view", "timing_records", event=stage.event)


def _reads_log(reader: Reader, row: Event | Stage) -> bool:
    """What was said in race control is the officials' own."""
    return may(reader.user, "view", "race_log", event=row if isinstance(row, Event) else row.event)


def _reads(reader: Reader, row: Any) -> bool:
    return may(reader.user, "view", row)


def reads_revision(reader: Reader, revision: ResultRevision) -> bool:
    """As soon as it is published, or as much later as the event keeps its public waiting."""
    if not may(reader.user, "view", revision):
        return False
    audience = audience_of(reader.user, revision.event)
    wait = timedelta(0) if audience.official else timedelta(milliseconds=audience.delay_ms)
    return revision.created_at + wait <= reader.now


def _of_revision(make: Callable[[ResultRevision, AnyUser], Paper]) -> Kind:
    return Kind(_revisions, reads_revision, lambda reader, row: make(row, reader.user))


KINDS = {
    "entry-list": Kind(_events, _reads_entries, lambda reader, row: entry_list(row, reader.now)),
    "start-list": Kind(_start_lists, _reads, lambda _reader, row: start_list(row)),
    "time-sheet": Kind(_stages, _works_in, lambda reader, row: time_sheet(row, reader.now)),
    "classification": _of_revision(classification.scratch),
    "classification-by-class": _of_revision(classification.by_class),
    "classification-of-teams": _of_revision(classification.teams),
    "penalty-list": _of_revision(penalty_list),
    "race-log": Kind(_events, _reads_log, lambda reader, row: race_log.of_event(row, reader.now)),
    "race-log-of-stage": Kind(_stages, _reads_log, lambda reader, row: race_log.of_stage(row, reader.now)),
    "decision": Kind(_decisions, _reads, lambda reader, row: decision_sheet(row, reader.now)),
}
