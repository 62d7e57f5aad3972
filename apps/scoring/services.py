"""The scorer's acts: windows of fixes → crossings → stage results → ranks → outbox, in one transaction.

Everything is read from the database after the locks are taken, never from the order messages came in
(design §1, rule 1), so that running an act again, late, twice or beside another scorer gives the same rows.
"""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from django.db import transaction

from apps.scoring import board, metrics, queries, results, zone_watch
from apps.scoring.decisions import hold_faulty
from apps.scoring.detection import replace_crossings
from apps.scoring.evidence import FixesOf, carried_units
from apps.scoring.fix_queries import span_fixes
from apps.scoring.inputs import load
from apps.scoring.plans import EventPlan, event_plan
from apps.scoring.queries import Unit, Window
from apps.timing.domain.plan import StagePlan

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Touched:
    """A stage of an entry whose evidence may have changed."""

    entry: str
    stage: StagePlan


def score_windows(windows: Sequence[Window]) -> list[str]:
    """Score again what the fixes in these windows can have changed. Returns the topics that have news.

    One transaction; the caller acknowledges after it and then tells the topics to the live processes.
    """
    with _uncollected(), transaction.atomic():
        hold_faulty(windows)
        found = queries.units(merged(windows))
        queries.lock("entry", {unit.entry for unit in found})
        topics: list[str] = []
        for event in sorted({unit.event for unit in found}):
            topics += _score_event(event, [unit for unit in found if unit.event == event])
        return topics


@dataclass(frozen=True, slots=True)
class Again:
    """What to score anew: all entries of an event, or some; all stages, or one.

    `detecting` looks at the fixes again too: needed when course or assignments changed, not for rules and decisions.
    """

    event: str
    entries: tuple[str, ...] = ()
    stage: str = ""
    detecting: bool = True


# The fixes of a field lie mixed in the table as they came in: to read those of a few entries takes as long as to read
# all, so a field goes into one transaction. Memory: `benchmarks/score.py` says.
ENTRIES_AT_ONCE = 200


def score_again(again: Again) -> Iterator[tuple[int, list[str]]]:
    """Score anew what has been driven, some entries a transaction; (entries done, topics with news) after each.

    Raises Event.DoesNotExist, and ValueError for a course that cannot be read; what was done until then stays.
    """
    entries = again.entries or queries.event_entries(again.event)
    for first in range(0, len(entries), ENTRIES_AT_ONCE):
        some = entries[first : first + ENTRIES_AT_ONCE]
        with _uncollected(), transaction.atomic():
            topics = _score_entries(again, some)
        yield first + len(some), topics


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without Python's search for cycles: scoring makes none, but so many objects that all the process holds would be
    walked through again and again. What others leave meanwhile is found afterwards."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def rank_again(event: str) -> list[str]:
    """Rank the stages and the event as they stand; the topics with news.

    A class, a tie rule or a factor may have changed and no result with it.
    """
    with transaction.atomic():
        plan = event_plan(event)
        queries.lock("event", [event])
        return board.publish(plan, {stage.id: set() for stage in plan.stages})


def _score_entries(again: Again, entries: Sequence[str]) -> list[str]:
    queries.lock("entry", entries)
    plan = event_plan(again.event)
    stages = [stage for stage in plan.stages if again.stage in ("", stage.id)]
    units = assigned_units(plan, entries, stages) if again.detecting else []
    fixes = replace_crossings(plan, units).fixes
    return _publish(plan, [Touched(one, stage) for one in entries for stage in stages], fixes.spans)


def assigned_units(plan: EventPlan, entries: Sequence[str], stages: Sequence[StagePlan]) -> list[Unit]:
    """All that the devices of these entries recorded from the first of these stages to the end of the last."""
    return carried_units(plan, load(plan.event, entries).entries, stages)


def merged(windows: Iterable[Window]) -> list[Window]:
    """Overlapping windows of a device as one, so that each chord is looked at once."""
    kept: list[Window] = []
    for window in sorted(windows, key=lambda w: (w.device, w.from_ts)):
        last = kept[-1] if kept else None
        if last and last.device == window.device and window.from_ts <= last.to_ts:
            kept[-1] = Window(last.device, last.from_ts, max(last.to_ts, window.to_ts), last.added and window.added)
        else:
            kept.append(window)
    return kept


def _score_event(event: str, units: Sequence[Unit]) -> list[str]:
    """Score the units of one event. A course that cannot be read holds up no other event: it is said, loudly,
    and scored once an official has put it right and asked for the event to be scored again."""
    try:
        plan = event_plan(event)
    except ValueError as error:
        log.error("course cannot be read: event not scored", event_id=event, reason=str(error))
        metrics.BROKEN_COURSES.inc()
        return []
    seen = replace_crossings(plan, units)
    affected = seen.changed | zone_watch.in_zones(plan, [u for u in units if u.entry not in seen.changed], seen)
    return _publish(plan, _touched(plan, [unit for unit in units if unit.entry in affected]))


def _publish(plan: EventPlan, touched: Sequence[Touched], fixes: FixesOf = span_fixes) -> list[str]:
    """Write the results of the touched stages, rank them, and put what changed into the outbox."""
    if not touched:
        return []
    outcomes = results.score(plan, [(t.entry, t.stage) for t in touched], fixes)
    queries.lock("event", [plan.event])
    return board.publish(plan, results.save(plan, outcomes))


def _touched(plan: EventPlan, units: Sequence[Unit]) -> list[Touched]:
    """The stages within sight of the units; a neighbouring fix lies at most one gap limit away."""
    margin = plan.gap_limit_ms
    return _unique(
        Touched(unit.entry, stage)
        for unit in units
        for stage in plan.stages_between(unit.from_ts - margin, unit.to_ts + margin)
    )


def _unique(touched: Iterable[Touched]) -> list[Touched]:
    return list({(t.entry, t.stage.id): t for t in touched}.values())
