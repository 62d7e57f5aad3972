"""From fixes to the crossings on record: window by window they are made equal to what the fixes say now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from apps.course.domain.crossings import Crossing, detect
from apps.course.domain.fixes import Fixes
from apps.scoring import fix_queries, queries
from apps.scoring.held_fixes import HeldFixes
from apps.scoring.plans import END_OF_TIME, EventPlan
from apps.scoring.queries import CrossingRow, Unit

# Of a wide unit so much is read at a time: it bounds memory, whatever an event's devices have recorded.
SLICE_MS = 6 * 3_600_000


@dataclass(slots=True)
class Seen:
    """What looking at units has shown.

    `changed` are the entries whose crossings did, `ending` the units with which their device's record ends, `fast`
    those with a fix above the lowest limit, the neighbours among them. `fixes` keeps what was read.
    """

    changed: set[str] = field(default_factory=set)
    ending: set[Unit] = field(default_factory=set)
    fast: set[Unit] = field(default_factory=set)
    fixes: HeldFixes = field(default_factory=HeldFixes)


def replace_crossings(plan: EventPlan, units: Sequence[Unit]) -> Seen:
    """Make the crossings on record within the units' windows equal to what the fixes say now."""
    seen = Seen()
    for some in sliced(units):
        _replace(plan, some, seen)
    return seen


def sliced(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """The units in parts to read at a time: narrow ones together, wide ones cut at the same instants."""
    narrow = [unit for unit in units if not unit.wide]
    if narrow:
        yield narrow
    wide = [unit for unit in units if unit.wide]
    cuts = _cuts(wide) if wide else []
    for begin, end in zip([0, *cuts], [*cuts, END_OF_TIME + 1], strict=True):
        part = [_cut(unit, begin, end - 1) for unit in wide if unit.from_ts < end and unit.to_ts >= begin]
        if part:
            yield part


def _cut(unit: Unit, begin: int, end: int) -> Unit:
    """The part of a unit between two instants, both included; itself where that is all of it."""
    if begin <= unit.from_ts and unit.to_ts <= end:
        return unit
    return replace(unit, from_ts=max(unit.from_ts, begin), to_ts=min(unit.to_ts, end))


def _cuts(units: Sequence[Unit]) -> list[int]:
    """Instants every SLICE_MS between the first fix on record and the last; none outside the units."""
    first, last = fix_queries.extent()
    low = max(first, min(unit.from_ts for unit in units))
    high = min(last, max(unit.to_ts for unit in units))
    return list(range(low + SLICE_MS, high + 1, SLICE_MS))


def _replace(plan: EventPlan, units: Sequence[Unit], seen: Seen) -> None:
    fixes = fix_queries.unit_fixes(units)
    seen.fixes.keep(units, fixes)
    bounds = _bounds(fixes, units)
    wanted = {_row(units, c): None for c in detect(fixes, plan.course, plan.gap_limit_ms).crossings}
    held = queries.crossings_in(units, bounds)
    gone = [(number, row) for number, row in held if row not in wanted]
    present = {row for _, row in held}
    new = [row for row in wanted if row not in present]
    queries.delete_crossings([number for number, _ in gone])
    queries.insert_crossings(new)
    seen.changed |= {row[0] for _, row in gone} | {row[0] for row in new}
    seen.ending |= {unit for unit, bound in zip(units, bounds, strict=True) if bound[1] == END_OF_TIME}
    seen.fast |= {units[code] for code in set(fixes.device[~(fixes.speed <= plan.lowest_limit_kmh)].tolist())}


def _row(units: Sequence[Unit], crossing: Crossing) -> CrossingRow:
    """A crossing by entry and device instead of the unit it was seen in: two units may share a chord."""
    unit = units[crossing.device]
    return (
        unit.entry, unit.device, crossing.control, crossing.direction.value, crossing.ts, crossing.uncertainty_ms,
        crossing.before_ts, crossing.after_ts, crossing.fraction, crossing.occurrence, crossing.min_distance_m,
    )  # fmt: skip


def _bounds(fixes: Fixes, units: Sequence[Unit]) -> list[tuple[int, int]]:
    """Per unit, the stretch its fixes rule over: from the neighbour before to the neighbour after.

    Where there is no neighbour there can be no true chord either, so the stretch has no end there.
    """
    if not len(fixes):
        return [(0, END_OF_TIME)] * len(units)
    codes = np.arange(len(units))
    first, beyond = (np.searchsorted(fixes.device, codes, side) for side in ("left", "right"))
    low = fixes.ts[np.minimum(first, len(fixes) - 1)]
    high = fixes.ts[np.maximum(beyond - 1, 0)]
    from_ts, to_ts = np.array([(unit.from_ts, unit.to_ts) for unit in units]).T
    some = beyond > first
    low = np.where(some & (low < from_ts), low, 0)
    high = np.where(some & (high > to_ts), high, END_OF_TIME)
    return list(zip(low.tolist(), high.tolist(), strict=True))
