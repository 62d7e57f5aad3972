"""Whose fixes may count though no crossing changed: what keeps a fix in open country from scoring a whole stage."""

from collections.abc import Collection, Sequence

from apps.scoring import queries
from apps.scoring.detection import Seen
from apps.scoring.domain.reach import zone_stretches
from apps.scoring.evidence import span
from apps.scoring.plans import EventPlan
from apps.scoring.queries import Unit
from apps.scoring.watch_queries import leaving, missing, seen_further
from apps.timing.domain.exits import exit_controls
from apps.timing.domain.plan import StagePlan


def in_zones(plan: EventPlan, units: Sequence[Unit], seen: Seen) -> set[str]:
    """The entries of these units, of which no crossing changed, whose speeds or exits may count."""
    found: set[str] = set()
    for stage in plan.stages:
        mine = [unit for unit in units if stage in plan.stages_between(unit.from_ts, unit.to_ts)]
        found |= leaving(mine, list(exit_controls(stage)), plan.gap_limit_ms) | missing(mine, stage.id)
        ending = seen.ending.intersection(mine)
        found |= _in_open_zones(stage, ending, seen)
        found |= _in_stretches(stage, [unit for unit in mine if unit not in ending])
    return found


def _in_open_zones(stage: StagePlan, units: Collection[Unit], seen: Seen) -> set[str]:
    """At the end of a record only a zone not yet left counts; for who is slow in it, if it has a penalty already."""
    entries = {unit.entry for unit in units}
    if any(segment.limit_kmh or segment.class_limits for segment in stage.segments):
        return entries
    zones = [zone for segment in stage.segments for zone in segment.zones]
    behind = seen_further(units, sorted({c for zone in zones for c in zone.controls()}))
    controls = [(c, n, c == zone.controls()[-1]) for n, zone in enumerate(zones) for c in zone.controls()]
    opened = queries.in_open_zones(controls, sorted(entries), span("", stage)[1:])
    penalised = queries.speed_penalised({entry for entry, _ in opened}) if opened else set()
    calm = entries - {unit.entry for unit in units if not _calm(unit, seen)}
    # What a tracker brings late may stand before that of another which fell back for it.
    return behind | {entry for entry, n in opened if entry not in calm or (entry, zones[n].id) in penalised}


def _calm(unit: Unit, seen: Seen) -> bool:
    """Whether a unit at the end of a record only adds fixes there, all of them and the one before them slow.

    Such fixes can begin no penalty, and change none but one whose interval they make longer.
    """
    return unit.added and unit not in seen.fast


def _in_stretches(stage: StagePlan, units: Sequence[Unit]) -> set[str]:
    """In the middle of a record any stay in a zone may."""
    found = queries.entry_crossings([span(entry, stage) for entry in sorted({unit.entry for unit in units})])
    return {
        unit.entry
        for unit in units
        for begin, end in zone_stretches(stage, found.get(unit.entry, ()), span("", stage)[2])
        if unit.from_ts <= end and unit.to_ts >= begin
    }
