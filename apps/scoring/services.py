"""The scorer's acts: windows of fixes → crossings → stage results → ranks → outbox, in one transaction.

Everything is read from the database after the locks are taken, never from the order messages came in
(design §1, rule 1), so that running an act again, late, twice or beside another scorer gives the same rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction

from apps.course.domain.crossings import Crossing, detect
from apps.course.domain.fixes import Fixes
from apps.scoring import board, metrics, queries, results
from apps.scoring.plans import END_OF_TIME, EventPlan, event_plan
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
    with transaction.atomic():
        found = queries.units(merged(windows))
        queries.lock("entry", {unit.entry for unit in found})
        topics: list[str] = []
        for event in sorted({unit.event for unit in found}):
            topics += _score_event(event, [unit for unit in found if unit.event == event])
        return topics


def score_again(event: str, entry: str | None = None) -> list[str]:
    """Score all an event, or one entry, has driven: after an edit of course, rules or assignments."""
    with transaction.atomic():
        entries = [entry] if entry else queries.event_entries(event)
        whole = queries.units(queries.assignment_windows(event, entry))
        units = [unit for unit in whole if unit.event == event]
        queries.lock("entry", entries)
        plan = event_plan(event)
        replace_crossings(plan, units)
        touched = [Touched(one, stage) for one in entries for stage in plan.stages]
        return _publish(plan, _unique(touched))


def merged(windows: Iterable[Window]) -> list[Window]:
    """Overlapping windows of a device as one, so that each chord is looked at once."""
    kept: list[Window] = []
    for window in sorted(windows, key=lambda w: (w.device, w.from_ts)):
        last = kept[-1] if kept else None
        if last and last.device == window.device and window.from_ts <= last.to_ts:
            kept[-1] = Window(last.device, last.from_ts, max(last.to_ts, window.to_ts))
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
    changed = replace_crossings(plan, units)
    in_zone = results.in_zones(plan, [unit for unit in units if unit.entry not in changed])
    return _publish(plan, _touched(plan, [unit for unit in units if unit.entry in changed | in_zone]))


def _publish(plan: EventPlan, touched: Sequence[Touched]) -> list[str]:
    """Write the results of the touched stages, rank them, and put what changed into the outbox."""
    if not touched:
        return []
    outcomes = results.score(plan, [(t.entry, t.stage) for t in touched])
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


def replace_crossings(plan: EventPlan, units: Sequence[Unit]) -> set[str]:
    """Make the crossings on record within the units' windows equal to what the fixes say now.

    Returns the entries whose crossings changed.
    """
    fixes = queries.unit_fixes(units)
    found = detect(fixes, plan.course, plan.gap_limit_ms).crossings
    held = queries.crossings_in(units, _bounds(fixes, units))
    wanted, present = _rows(units, found), _rows(units, (crossing for _, crossing in held))
    gone = [(row, crossing) for row, crossing in held if _row(units, crossing) not in wanted]
    new = [(units[c.device], c) for c in found if _row(units, c) not in present]
    queries.delete_crossings([row for row, _ in gone])
    queries.insert_crossings(new)
    return {units[c.device].entry for _, c in gone} | {unit.entry for unit, _ in new}


CrossingRow = tuple[str, str, Crossing]


def _row(units: Sequence[Unit], crossing: Crossing) -> CrossingRow:
    """A crossing by entry and device instead of the unit it was seen in: two units may share a chord."""
    unit = units[crossing.device]
    return unit.entry, unit.device, _without_unit(crossing)


def _rows(units: Sequence[Unit], crossings: Iterable[Crossing]) -> set[CrossingRow]:
    return {_row(units, crossing) for crossing in crossings}


def _without_unit(crossing: Crossing) -> Crossing:
    return Crossing(
        control=crossing.control,
        device=0,
        direction=crossing.direction,
        ts=crossing.ts,
        uncertainty_ms=crossing.uncertainty_ms,
        before_ts=crossing.before_ts,
        after_ts=crossing.after_ts,
        fraction=crossing.fraction,
        occurrence=crossing.occurrence,
        min_distance_m=crossing.min_distance_m,
    )


def _bounds(fixes: Fixes, units: Sequence[Unit]) -> list[tuple[int, int]]:
    """Per unit, the stretch its fixes rule over: from the neighbour before to the neighbour after.

    Where there is no neighbour there can be no true chord either, so the stretch has no end there.
    """
    bounds = []
    for code, unit in enumerate(units):
        ts = fixes.of_device(code).ts
        low = int(ts[0]) if len(ts) and ts[0] < unit.from_ts else 0
        high = int(ts[-1]) if len(ts) and ts[-1] > unit.to_ts else END_OF_TIME
        bounds.append((low, high))
    return bounds
