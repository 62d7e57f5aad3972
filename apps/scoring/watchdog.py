"""A result that is not what its evidence says must not stay unnoticed: a sample is recomputed from the fixes, for ever.

It should never find any. Fixes that have come in and are not scored yet look the same, so a result counts as stale
only when a second look, some seconds later, finds the very same fault.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import transaction

from apps.scoring import queries
from apps.scoring.models import StageResult
from apps.scoring.plans import event_plan
from apps.scoring.projection import outcome_from_fixes


@dataclass(frozen=True, slots=True)
class Stale:
    """A result on record that differs from its evidence; hashes of both."""

    event: str
    stage: str
    entry: str
    race_number: int
    on_record: str
    by_evidence: str


# Some results of open events, by chance.
SAMPLE = """
    select e.event_id::text, r.stage_id::text, r.entry_id::text, e.race_number
    from stage_results r join entries e on e.id = r.entry_id
    where e.event_id = any(%s::uuid[])
    order by random() limit %s
"""

Place = tuple[str, str, str, int]  # event, stage, entry, race number


def sample(events: Iterable[str], size: int) -> list[Place]:
    """Where to look: at most `size` results of these events."""
    return [(row[0], row[1], row[2], row[3]) for row in queries.select(SAMPLE, [list(events), size])]


def look(places: Iterable[Place]) -> Iterator[Stale]:
    """The results among these that differ from their evidence. Raises ValueError for a course that cannot be read."""
    for event, stage, entry, number in places:
        with transaction.atomic():
            queries.lock("entry", [entry])  # not while a scorer is between its crossings and its result
            plan = event_plan(event)
            wanted = next((one for one in plan.stages if one.id == stage), None)
            results = StageResult.objects.filter(stage_id=stage, entry_id=entry)
            held = results.values_list("inputs_hash", flat=True).first()
            if wanted is None or held is None:
                continue
            found = outcome_from_fixes(plan, entry, wanted).inputs_hash
        if found != held:
            yield Stale(event, stage, entry, number, held, found)


def again(suspects: Iterable[Stale]) -> list[Stale]:
    """Those that a second look finds with the very same fault."""
    seen = {(s.event, s.stage, s.entry, s.race_number): s for s in suspects}
    return [stale for stale in look(seen) if stale in seen.values()]
