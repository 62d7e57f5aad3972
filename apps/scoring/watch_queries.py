"""Whose fixes may count though no crossing of theirs changes: who has just left FN, who is seen by two trackers, who
has missed a waypoint."""

from collections.abc import Collection, Sequence

from apps.scoring import bulk
from apps.scoring.queries import Unit
from apps.timing.domain.exits import OUTSIDE_FIXES
from apps.timing.domain.zone_intervals import GAP_LIMIT_MS

# The span of `exits.proof_span`, and no crossing further back than it can reach.
LEAVING = """
    select distinct c.entry_id::text
    from unnest(%b::text[]::uuid[], %b::bigint[], %b::bigint[]) as u(entry, low, high)
    join entry_crossings c on c.entry_id = u.entry and c.ts between u.low - %s and u.high
    where c.control = any(%b::text[]::uuid[]) and c.direction = 'leave'
      and c.after_ts <= u.high and c.after_ts + %s * greatest(%s, 2 * (c.after_ts - c.before_ts)) >= u.low
"""


def leaving(units: Sequence[Unit], controls: Sequence[str], gap_limit_ms: int) -> set[str]:
    """The entries of these units that left one of the controls so shortly before that the fixes tell whether they
    did."""
    if not units or not controls:
        return set()
    steps = OUTSIDE_FIXES - 1
    reach = gap_limit_ms + steps * max(GAP_LIMIT_MS, 2 * gap_limit_ms)
    columns = [[u.entry for u in units], [u.from_ts for u in units], [u.to_ts for u in units]]
    parameters = [*columns, reach, list(controls), steps, GAP_LIMIT_MS]
    return {row[0] for row in bulk.select(LEAVING, parameters)}


# By the index of crossings: few are younger than what has just come in, unless one tracker is far behind the other.
SEEN_FURTHER = """
    select distinct c.entry_id::text
    from unnest(%b::text[]::uuid[], %b::text[], %b::bigint[]) as u(entry, device, low)
    join entry_crossings c on c.entry_id = u.entry and c.ts >= u.low
    where c.device <> u.device and c.control = any(%b::text[]::uuid[])
"""


def seen_further(units: Collection[Unit], controls: Sequence[str]) -> set[str]:
    """The entries of these units of which another tracker has crossed one of the controls since."""
    if not units or not controls:
        return set()
    columns = [[u.entry for u in units], [u.device for u in units], [u.from_ts for u in units]]
    return {row[0] for row in bulk.select(SEEN_FURTHER, [*columns, list(controls)])}


# The stretch in which a missed waypoint would have been passed ends with a passage: none is later than `last_ts`.
MISSING = """
    select distinct u.entry::text
    from unnest(%b::text[]::uuid[], %b::bigint[]) as u(entry, low)
    join stage_results r on r.entry_id = u.entry and r.stage_id = %b::text::uuid
    where (r.outcome->>'last_ts')::bigint >= u.low
      and (r.outcome->'missed' <> '[]'::jsonb or r.outcome ? 'in_doubt')
"""


def missing(units: Collection[Unit], stage: str) -> set[str]:
    """The entries of these units of which fixes so early may tell that they have passed a waypoint unseen, or not."""
    if not units:
        return set()
    return {row[0] for row in bulk.select(MISSING, [[u.entry for u in units], [u.from_ts for u in units], stage])}
