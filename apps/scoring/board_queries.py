"""What a stage's ranking is made of, as plain values: it is made again each time anybody's result changes."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from apps.scoring import bulk
from apps.scoring.domain.classification import Line
from apps.scoring.domain.lines import Competitor, Reading, stage_line
from apps.scoring.domain.status import Status
from apps.timing.domain.plan import StagePlan

Ranks = tuple[int | None, int | None]

# Keys as text: they are compared and sent on, never reckoned with.
STAGE_TABLE = """
    select r.id::text, r.rank, r.class_rank,
           e.id::text, e.race_number, e.race_class_id::text, e.status,
           r.status, r.total_ms, r.splits::text, r.penalty_ms, r.overall_penalty_ms
    from stage_results r join entries e on e.id = r.entry_id
    where r.stage_id = %b::uuid and e.competing
"""

_splits = msgspec.json.Decoder(tuple[int | None, ...]).decode


@dataclass(frozen=True, slots=True)
class Placed:
    """A stage result to be ranked, and where it stood until now."""

    id: str
    line: Line
    ranks: Ranks


def stage_table(stage: StagePlan) -> Iterator[Placed]:
    """The results of a stage that are ranked, in no order."""
    rows = bulk.select(STAGE_TABLE, [stage.id])
    for id, rank, in_class, entry, number, race_class, word, status, total, splits, penalty, overall in rows:
        reading = Reading(
            Status(status), total, _splits(splits), penalty, overall,
            super_special=stage.super_special, overall_factor=stage.overall_factor,
        )  # fmt: skip
        yield Placed(id, stage_line(reading, Competitor(entry, number, race_class, word=word)), (rank, in_class))
