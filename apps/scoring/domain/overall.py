"""From the lines of the stages to the lines of a leg or of the event (rulebook 6.1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from apps.scoring.domain.classification import Line
from apps.scoring.domain.status import LUMPED, Status, over_stages
from apps.timing.domain.plan import StagePlan

Splits = tuple[int | None, ...]


def of_event(plans: Sequence[StagePlan], stages: Sequence[Sequence[Line]]) -> list[Line]:
    """One line per entry over the stages, given with their plans.

    Of a stage that counts for the start order alone (7.1) only who was put out of the classification there is in it.
    """
    of_stages = zip(plans, stages, strict=True)
    counted = [
        lines if plan.overall_factor else [_out(x) for x in lines if x.status in _OUT] for plan, lines in of_stages
    ]
    return overall(counted, count=sum(plan.overall_factor > 0 for plan in plans))


_OUT = frozenset({Status.DSQ, Status.NC})


def _out(line: Line) -> Line:
    return replace(line, total_ms=None, clean_ms=None, start_order_ms=None, splits=(), super_splits=())


def overall(
    stages: Sequence[Sequence[Line]], extra_ms: Mapping[str, int] | None = None, count: int | None = None
) -> list[Line]:
    """One line per entry over the stages in driving order, by race number; give them to `classify`.

    The total is the sum of stage totals, of what the event counts beyond them (`Line.overall_extra_ms`)
    and of `extra_ms`, event-wide penalties or credits by entry. `completed` counts stages with a total. A stage
    with a lump for its time takes nobody out (6.4), though the crew is not complete. `count` is how many of the stages
    there are to be driven, None = all.
    """
    table = [_Stage({line.entry: line for line in lines}, *_most_splits(lines)) for lines in stages]
    first = {line.entry: line for lines in reversed(stages) for line in lines}
    extra = extra_ms or {}
    wanted = len(table) if count is None else count
    lines = [_sum(line, table, (extra.get(entry, 0), wanted)) for entry, line in first.items()]
    return sorted(lines, key=lambda line: (line.race_number, line.entry))


def leg(stages: Sequence[Sequence[Line]]) -> list[Line]:
    """As `overall`, of stage results as they are: what touches only the event counts only there (6.3)."""
    return overall([[replace(line, overall_extra_ms=0, extra_time_ms=0) for line in lines] for lines in stages])


@dataclass(frozen=True, slots=True)
class _Stage:
    lines: Mapping[str, Line]
    splits: int
    super_splits: int

    def splits_of(self, entry: str) -> Splits:
        line = self.lines.get(entry)
        return _filled(line.splits if line else (), self.splits)

    def super_splits_of(self, entry: str) -> Splits:
        line = self.lines.get(entry)
        return _filled(line.super_splits if line else (), self.super_splits)


def _filled(splits: Splits, size: int) -> Splits:
    """With Nones for what is missing, so that ties compare like with like."""
    return splits + (None,) * (size - len(splits))


def _most_splits(lines: Sequence[Line]) -> tuple[int, int]:
    return (
        max((len(line.splits) for line in lines), default=0),
        max((len(line.super_splits) for line in lines), default=0),
    )


def _sum(identity: Line, table: Sequence[_Stage], of_entry: tuple[int, int]) -> Line:
    """`of_entry`: what the event counts beyond the stages, and how many stages there are."""
    entry, (extra_ms, wanted) = identity.entry, of_entry
    lines = [stage.lines[entry] for stage in table if entry in stage.lines]
    counted = [line for line in lines if line.total_ms is not None]
    missing = [line for line in lines if line.status in LUMPED]
    beyond = sum(line.overall_extra_ms for line in counted) + extra_ms
    again = sum(line.extra_time_ms for line in counted)
    return Line(
        entry=entry,
        race_number=identity.race_number,
        race_class=identity.race_class,
        status=_standing(lines, wanted),
        total_ms=_plus(_total(line.total_ms for line in counted), beyond + again),
        splits=tuple(split for stage in table for split in stage.splits_of(entry)),
        complete=all(line.complete for line in lines),
        team=identity.team,
        completed=len(counted),
        group=identity.group,
        super_splits=tuple(split for stage in table for split in stage.super_splits_of(entry)),
        lumped=bool(missing) and all(line.lumped for line in missing),
        clean_ms=_plus(_total(line.clean_ms for line in counted), again),
        start_order_ms=_total(line.start_order_ms for line in counted),
        penalty_ms=sum(line.penalty_ms for line in counted) + beyond if counted else 0,
    )


def _total(times: Iterable[int | None]) -> int | None:
    """Their sum; None of none, and where one is missing."""
    found = list(times)
    known = [ms for ms in found if ms is not None]
    return sum(known) if found and len(known) == len(found) else None


def _plus(total: int | None, ms: int) -> int | None:
    return None if total is None else total + ms


def _standing(lines: Sequence[Line], stages: int) -> Status:
    """A lumped stage counts as driven. A crew between two stages has not yet finished the event."""
    status = over_stages(Status.FINISHED if line.lumped else line.status for line in lines)
    behind = sum(line.total_ms is not None for line in lines) < stages
    return Status.RUNNING if status is Status.FINISHED and behind else status
