"""From the lines of the stages to the lines of the event (rulebook 6.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.scoring.domain.classification import Line
from apps.scoring.domain.status import Status, over_stages

_OUT = frozenset({Status.DNF, Status.DNS, Status.OTL})


@dataclass(frozen=True, slots=True)
class _Stage:
    lines: Mapping[str, Line]
    splits: int

    def of(self, entry: str) -> tuple[int | None, ...]:
        """The splits of an entry; as many Nones where it has no line, so that ties compare like with like."""
        line = self.lines.get(entry)
        found = line.splits if line else ()
        return found + (None,) * (self.splits - len(found))


def overall(stages: Sequence[Sequence[Line]], extra_ms: Mapping[str, int] | None = None) -> list[Line]:
    """One line per entry over the stages in driving order, by race number; give them to `classify`.

    The total is the sum of stage totals, of what the event counts beyond them (`Line.overall_extra_ms`)
    and of `extra_ms`, event-wide penalties or credits by entry. `completed` counts stages with a total.
    """
    table = [_Stage({line.entry: line for line in lines}, _most_splits(lines)) for lines in stages]
    first = {line.entry: line for lines in reversed(stages) for line in lines}
    extra = extra_ms or {}
    lines = [_sum(line, table, extra.get(entry, 0)) for entry, line in first.items()]
    return sorted(lines, key=lambda line: (line.race_number, line.entry))


def _most_splits(lines: Sequence[Line]) -> int:
    return max((len(line.splits) for line in lines), default=0)


def _sum(identity: Line, table: Sequence[_Stage], extra_ms: int) -> Line:
    entry = identity.entry
    lines = [stage.lines[entry] for stage in table if entry in stage.lines]
    totals = [line.total_ms + line.overall_extra_ms for line in lines if line.total_ms is not None]
    return Line(
        entry=entry,
        race_number=identity.race_number,
        race_class=identity.race_class,
        status=over_stages(line.status for line in lines),
        total_ms=sum(totals) + extra_ms if totals else None,
        splits=tuple(split for stage in table for split in stage.of(entry)),
        complete=all(line.complete and line.status not in _OUT for line in lines),
        team=identity.team,
        completed=len(totals),
    )
