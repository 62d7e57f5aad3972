"""Leaving a neutralisation: a parked receiver drifts, so one fix outside FN is no exit yet (rulebook 8.1)."""

from collections.abc import Iterator, Sequence

from apps.course.domain.crossings import Crossing, Direction
from apps.course.domain.fixes import Fixes
from apps.timing.domain.passages import Record
from apps.timing.domain.plan import SegmentType, StagePlan
from apps.timing.domain.zone_intervals import GAP_LIMIT_MS

OUTSIDE_FIXES = 3
UNPROVEN = f"left, but fewer than {OUTSIDE_FIXES} fixes in a row outside tell it"


def exit_controls(plan: StagePlan) -> dict[str, str]:
    """The areas whose leaving ends a neutralisation, each with the segment; a gate has no inside to drift out of."""
    return {
        segment.finish.control: segment.id
        for segment in plan.segments
        if segment.type is SegmentType.NEUTRALISATION
        and segment.finish is not None
        and segment.finish.direction is Direction.LEAVE
    }


def proof_span(leave: Crossing) -> tuple[int, int]:
    """Where the fixes that prove an exit are looked for, epoch ms, both included: three at the pace of the crossing."""
    step = max(GAP_LIMIT_MS, 2 * (leave.after_ts - leave.before_ts))
    return leave.after_ts, leave.after_ts + (OUTSIDE_FIXES - 1) * step


def left_for_good(plan: StagePlan, crossings: Record, fixes: Fixes) -> Record:
    """The record without those leavings of a neutralisation that were only drift."""
    exits = {c: _proven(crossings[c], fixes) for c in exit_controls(plan) if c in crossings}
    return {**crossings, **exits} if exits else crossings


def unproven(plan: StagePlan, crossings: Record, proven: Record) -> Iterator[str]:
    """The neutralisations that were left by too few fixes, and not left otherwise."""
    for control, segment in exit_controls(plan).items():
        before, after = (
            [c for c in of.get(control, ()) if c.direction is Direction.LEAVE] for of in (crossings, proven)
        )
        if before and not after and _open_end(crossings[control]):
            yield segment


def _open_end(crossings: Sequence[Crossing]) -> bool:
    """Whether the last that was seen is a leaving: who came back is still there."""
    return crossings[-1].direction is Direction.LEAVE


def _proven(crossings: Sequence[Crossing], fixes: Fixes) -> list[Crossing]:
    following = {id(c): n for of in _by_device(crossings) for c, n in zip(of, [*of[1:], None], strict=True)}
    return [
        crossing
        for crossing in crossings
        if crossing.direction is not Direction.LEAVE or _outside(crossing, following[id(crossing)], fixes)
    ]


def _by_device(crossings: Sequence[Crossing]) -> list[list[Crossing]]:
    devices = {c.device for c in crossings}
    return [[c for c in crossings if c.device == device] for device in devices]


def _outside(leave: Crossing, following: Crossing | None, fixes: Fixes) -> bool:
    """Whether so many fixes of the device follow before it is seen inside again."""
    low, high = proof_span(leave)
    if following is not None:  # before it came in, or, where that was not seen, before it was inside
        came_in = following.direction is Direction.ENTER
        high = min(high, following.before_ts if came_in else following.before_ts - 1)
    return len(fixes.of_device(leave.device).between(low, high)) >= OUTSIDE_FIXES
