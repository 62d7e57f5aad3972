"""What a change would do: per entry old and new times, penalties and ranks, and nothing written (design §1).

The change is made in a transaction that is always rolled back; what follows from it is computed in memory, without the
scorer's locks, so that live scoring goes on meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from apps.events.models import Entry, Event
from apps.scoring import queries
from apps.scoring.board import event_values
from apps.scoring.inputs import load
from apps.scoring.models import EventResult, StageResult
from apps.scoring.plans import EventPlan, load_plan
from apps.scoring.projection import Placed, Projection, project

FIELDS = ("status", "time_ms", "penalty_ms", "total_ms", "rank", "class_rank")
NOTHING: Mapping[str, Any] = dict.fromkeys(FIELDS) | {"status": "registered", "penalty_ms": 0}


@dataclass(frozen=True, slots=True)
class Difference:
    """A line that would change: in a stage, or overall where `stage` is ""; values by the names of FIELDS."""

    race_number: int
    stage: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """(old, new) by name, of what differs."""
        return {name: (self.old[name], self.new[name]) for name in FIELDS if self.old[name] != self.new[name]}


def dry_run(event: Event, change: Callable[[], object]) -> list[Difference]:
    """The lines that would change, stages in driving order and then overall, by race number.

    Raises whatever the change raises. Without any change the list is empty unless a result on record is stale.
    """
    with transaction.atomic():
        change()
        plan = load_plan(str(event.id))
        seen = project(plan, load(plan.event, queries.event_entries(plan.event)))
        transaction.set_rollback(True)
    return list(differences(plan, seen))


def differences(plan: EventPlan, seen: Projection) -> Iterator[Difference]:
    """Where a projection differs from the results on record."""
    rows = Entry.objects.filter(event_id=plan.event).values_list("id", "race_number")
    numbers = {str(entry): number for entry, number in rows}
    for stage in plan.stages:
        old = held(StageResult.objects.filter(stage_id=stage.id))
        new = {p.line.entry: _stage_values(p, seen, stage.id) for p in seen.stages[stage.id]}
        yield from compare(stage.name, numbers, old, new)
    new = {p.line.entry: _ranks(p) | event_values(p.line) for p in seen.event}
    yield from compare("", numbers, held(EventResult.objects.filter(event_id=plan.event)), new)


def compare(
    stage: str, numbers: Mapping[str, int], old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> Iterator[Difference]:
    """The lines that differ, by race number; values by the names of FIELDS, per entry."""
    for entry in sorted(old.keys() | new.keys(), key=lambda e: numbers[e]):
        difference = Difference(numbers[entry], stage, old.get(entry, NOTHING), new.get(entry, NOTHING))
        if difference.changes():
            yield difference


def held(rows: Any) -> dict[str, Mapping[str, Any]]:
    """Results on record of competing entries, as `compare` takes them."""
    return {str(row.pop("entry_id")): row for row in rows.filter(entry__competing=True).values("entry_id", *FIELDS)}


def _stage_values(placed: Placed, seen: Projection, stage: str) -> dict[str, Any]:
    outcome = seen.outcomes[placed.line.entry, stage]
    return _ranks(placed) | {
        "status": outcome.status.value,
        "time_ms": outcome.time_ms,
        "penalty_ms": outcome.penalty_ms,
        "total_ms": outcome.total_ms,
    }


def _ranks(placed: Placed) -> dict[str, Any]:
    return {"rank": placed.ranked.rank, "class_rank": placed.ranked.class_rank}
