"""What documents there are of an event, and of what is missing why and what makes it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.course.models import Stage
from apps.documents.kinds import KINDS, Reader, reads_revision
from apps.events.audience import is_official
from apps.events.models import Entry, Event
from apps.penalties.models import Decision
from apps.scoring.models import ResultRevision
from apps.timing.models import StartList


@dataclass(frozen=True, slots=True)
class Item:
    """A document by its kind and id; without an id it is missing, `why` says what makes it, `act` leads there."""

    title: str
    kind: str = ""
    id: str = ""
    state: str = ""
    why: str = ""
    act: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The documents of a stage, or of the whole event."""

    title: str
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Found:
    """All that was published of an event, newest first, as far as the reader may have it."""

    reader: Reader
    official: bool
    lists: list[StartList]
    revisions: list[ResultRevision]

    def of(self, stage: Stage | None) -> list[ResultRevision]:
        return [row for row in self.revisions if row.stage_id == (stage.pk if stage else None)]


def contents(reader: Reader, event: Event) -> list[Part]:
    """Stage by stage, then the whole event and the decisions. In a constant number of queries."""
    official = is_official(reader.user, event)
    found = _Found(reader, official, _lists(reader, event), _revisions(reader, event))
    stages = Stage.objects.filter(event=event).select_related("event")
    parts = [
        Part(_("Event"), [*_entry_list(found, event)]),
        *(Part(stage.name, [*_of_stage(found, stage)]) for stage in stages),
        Part(_("Whole event"), [*_results(found, None), *_log(found, event, "race-log")]),
        Part(_("Decisions"), [*_decisions(found, event)]),
    ]
    return [part for part in parts if part.items]


def _lists(reader: Reader, event: Event) -> list[StartList]:
    rows = StartList.objects.filter(stage__event=event).select_related("stage__event").defer("rows")
    return [row for row in rows.order_by("-version") if KINDS["start-list"].allowed(reader, row)]


def _revisions(reader: Reader, event: Event) -> list[ResultRevision]:
    rows = ResultRevision.objects.filter(event=event).select_related("event", "stage").defer("snapshot")
    return [row for row in rows.order_by("-number") if reads_revision(reader, row)]


def _entry_list(found: _Found, event: Event) -> Iterator[Item]:
    if Entry.objects.filter(event=event, competing=True).exists():
        yield Item(_("Entry list"), "entry-list", str(event.pk))
    elif found.official:
        yield Item(
            _("Entry list"), why=_("Nobody is entered yet: import or add entries."), act=_list_of("events_entry")
        )


def _of_stage(found: _Found, stage: Stage) -> Iterator[Item]:
    yield from _start_lists(found, stage)
    if found.official:
        yield Item(_("Time sheet"), "time-sheet", str(stage.pk))
    yield from _log(found, stage, "race-log-of-stage")
    yield from _results(found, stage)


def _log(found: _Found, of: Event | Stage, kind: str) -> Iterator[Item]:
    if KINDS[kind].allowed(found.reader, of):
        yield Item(_("Race-control log"), kind, str(of.pk))


def _start_lists(found: _Found, stage: Stage) -> Iterator[Item]:
    lists = [row for row in found.lists if row.stage_id == stage.pk]
    for row in lists:
        title = _("Start list, version %(number)d") % {"number": row.version}
        yield Item(title, "start-list", str(row.pk), row.get_state_display())
    if not lists and found.official:
        why = _("The stage is not open: opening it publishes its start list.")
        yield Item(_("Start list"), why=why, act=_add("timing_startlist"))


def _results(found: _Found, stage: Stage | None) -> Iterator[Item]:
    revisions = found.of(stage)
    for row in revisions:
        number = {"number": row.number}
        for kind, title in _tables(number):
            yield Item(title, kind, str(row.pk), row.get_state_display())
    if found.official:
        yield from _missing(revisions)


def _tables(number: dict[str, Any]) -> Iterable[tuple[str, str]]:
    return (
        ("classification", _("Classification, revision %(number)d") % number),
        ("classification-by-class", _("Classification by class, revision %(number)d") % number),
        ("classification-of-teams", _("Classification of teams, revision %(number)d") % number),
        ("penalty-list", _("List of penalties, revision %(number)d") % number),
    )


def _missing(revisions: list[ResultRevision]) -> Iterator[Item]:
    states = {row.state for row in revisions}
    if not states & {"provisional", "amended", "official"}:
        why = _("Nothing is published yet: publish provisional results once the review queue is empty.")
        yield Item(_("Provisional classification"), why=why, act=_list_of("scoring_resultrevision"))
    elif "official" not in states:
        why = _("It comes when the time for protests is over.")
        yield Item(_("Official classification"), why=why, act=_list_of("scoring_resultrevision"))


def _decisions(found: _Found, event: Event) -> Iterator[Item]:
    rows = Decision.objects.filter(event=event).select_related("event", "entry__event").order_by("-number")
    for row in rows:
        if KINDS["decision"].allowed(found.reader, row):
            state = _("revoked") if row.revoked_at else _("in force")
            title = _("Decision No. %(number)d") % {"number": row.number}
            yield Item(f"{title}: {_(row.get_kind_display())}", "decision", str(row.pk), state)


def _list_of(name: str) -> str:
    return reverse(f"admin:{name}_changelist")


def _add(name: str) -> str:
    return reverse(f"admin:{name}_add")
