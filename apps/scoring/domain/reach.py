"""When fixes may matter beside crossings: so much of an entry's record zones and exits need, and no more is read."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from apps.course.domain.crossings import Crossing, Direction
from apps.course.domain.visits import Visit, visits
from apps.timing.domain.exits import exit_controls, proof_span
from apps.timing.domain.plan import SpeedZonePlan, StagePlan

Stretch = tuple[int, int]


def zone_stretches(stage: StagePlan, crossings: Iterable[Crossing], end: int) -> list[Stretch]:
    """The stretches (from ms, to ms, both included) of a stage that ends at `end`, in order and apart.

    Of an area each device's visits; where one end was not seen, the stage up to there. Of a DZ and an FZ from the
    first crossing to the last. After FN the first fixes, which prove the exit. The whole stage where a segment has a
    limit of its own.
    """
    seen = list(crossings)
    if seen and any(segment.limit_kmh or segment.class_limits for segment in stage.segments):
        return [(stage.from_ts, end)]
    zones = [zone for segment in stage.segments for zone in segment.zones]
    of_zones = [stretch for zone in zones for stretch in _of_zone(zone, seen, (stage.from_ts, end))]
    return apart([*of_zones, *_of_exits(stage, seen, end)])


def _of_exits(stage: StagePlan, crossings: Sequence[Crossing], end: int) -> Iterator[Stretch]:
    controls = exit_controls(stage)
    for crossing in crossings:
        if crossing.control in controls and crossing.direction is Direction.LEAVE:
            low, high = proof_span(crossing)
            if low <= end:
                yield low, min(high, end)


def _of_zone(zone: SpeedZonePlan, crossings: Sequence[Crossing], whole: Stretch) -> list[Stretch]:
    controls = zone.controls()
    mine = [crossing for crossing in crossings if crossing.control in controls]
    if zone.polygon is None:
        return _of_pair(mine, (controls[0], controls[-1]), whole)
    mine.sort(key=lambda c: c.device)
    stays = [stay for _, group in groupby(mine, key=lambda c: c.device) for stay in visits(group)]
    return [_of_visit(stay, whole) for stay in stays]


def _of_visit(stay: Visit, whole: Stretch) -> Stretch:
    return stay.enter.ts if stay.enter else whole[0], stay.leave.ts if stay.leave else whole[1]


def _of_pair(crossings: Sequence[Crossing], ends: tuple[str, str], whole: Stretch) -> list[Stretch]:
    if not crossings:
        return []
    ordered = sorted(crossings, key=lambda c: c.ts)
    first, last = ends
    # Without a DZ the zone may bind from a waypoint inside it, wherever that was.
    begin = ordered[0].before_ts if ordered[0].control == first else whole[0]
    closed = ordered[-1].control == last and ordered[-1].direction is Direction.LEAVE
    # Whole chords: where a zone has no margins its ends are looked for on them.
    return [(begin, ordered[-1].after_ts if closed else whole[1])]


def apart(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Those that touch, as one."""
    found: list[Stretch] = []
    for begin, end in sorted(stretches):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
