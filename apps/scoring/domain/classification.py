"""Ranking lines of a stage or an event (rulebook 6.1, 6.2, 6.5)."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from apps.scoring.domain.status import LUMPED, Status


class TieRule(StrEnum):
    """How equal totals are told apart (rulebook 6.5)."""

    LAST_SS_BACKWARDS = "last_ss_backwards"
    FIRST_SS_FORWARDS = "first_ss_forwards"
    NUMBER = "number"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Line:
    """An entry to be ranked; times in ms.

    `splits` are its special-stage times in order, for ties, those of super specials apart. `completed` counts
    stages with a total, so that a running event ranks those who have driven more first. `overall_extra_ms` is what
    the event adds to `total_ms` beyond the stage: penalties that touch only the overall (6.3), negative for those
    that touch only the stage. `lumped`: a lump stands for a time that was not driven (6.4); then there is neither
    `clean_ms`, the time without penalties, nor `start_order_ms`. `penalty_ms` is what `total_ms` has of penalties,
    `extra_time_ms` what the event counts of the time beyond once (7.1).
    """

    entry: str
    race_number: int
    race_class: str
    status: Status
    total_ms: int | None
    splits: tuple[int | None, ...] = ()
    complete: bool = True
    team: str = ""
    completed: int = 1
    overall_extra_ms: int = 0
    group: str = ""
    super_splits: tuple[int | None, ...] = ()
    lumped: bool = False
    clean_ms: int | None = None
    start_order_ms: int | None = None
    penalty_ms: int = 0
    extra_time_ms: int = 0


@dataclass(frozen=True, slots=True)
class Ranked:
    """The rank of an entry; None where it has none. `gap_ms` is to the leader, where comparable."""

    entry: str
    rank: int | None
    class_rank: int | None
    gap_ms: int | None


def classify(
    lines: Iterable[Line], tie_rule: TieRule = TieRule.LAST_SS_BACKWARDS, complete_first: bool = False
) -> tuple[Ranked, ...]:
    """The ranking, ranked entries first, whatever the order of the lines.

    Not ranked are lines without a total and those whose status takes them out. A crew that did not finish or start
    a part is ranked by its total where a lump stands for each missing time (6.4), and always with `complete_first`:
    then after all complete ones (6.2). More stages completed ranks first, then the lower total, then the tie rule,
    then the race number.
    """
    rules = Rules(tie_rule, complete_first)
    everyone = sorted(lines, key=rules.order)
    placed = [line for line in everyone if rules.placed(line)]
    ranks = rules.ranks(placed)
    class_ranks: dict[str, int] = {}
    for race_class in {line.race_class for line in placed}:
        class_ranks |= rules.ranks([line for line in placed if line.race_class == race_class])
    leader = placed[0] if placed else None
    return tuple(
        Ranked(line.entry, ranks.get(line.entry), class_ranks.get(line.entry), rules.gap(line, leader))
        for line in everyone
    )


_RANKED = frozenset({Status.FINISHED, Status.RUNNING})
_UNRANKED_ORDER = tuple(Status)
_NO_TIME = math.inf


@dataclass(frozen=True, slots=True)
class Rules:
    """How an event ranks (rulebook 6.2, 6.5)."""

    tie_rule: TieRule = TieRule.LAST_SS_BACKWARDS
    complete_first: bool = False

    def placed(self, line: Line) -> bool:
        """Whether the line has a rank."""
        if line.total_ms is None:
            return False
        return line.status in _RANKED or (line.status in LUMPED and (self.complete_first or line.lumped))

    def order(self, line: Line) -> tuple[Any, ...]:
        """A total order: entries that tie in all else differ in number, or at last in id."""
        if not self.placed(line):
            return 1, _UNRANKED_ORDER.index(line.status), line.race_number, line.entry
        return 0, *self.merit(line), line.race_number, line.entry

    def merit(self, line: Line) -> tuple[Any, ...]:
        """What decides before the race number; under a shared rank, equal merit is an equal rank."""
        return *self.league(line), line.total_ms, self._tie(line)

    def league(self, line: Line) -> tuple[int, int]:
        """Lines of one league compare by time: those of one tier (6.2) with as many stages."""
        incomplete = not line.complete or line.status in LUMPED
        return int(self.complete_first and incomplete), -line.completed

    def ranks(self, placed: Sequence[Line]) -> dict[str, int]:
        """Ranks 1.. of lines in order; shared ranks skip the next ones (1, 1, 3)."""
        ranks: dict[str, int] = {}
        rank, previous = 0, None
        for position, line in enumerate(placed, start=1):
            merit = self.merit(line)
            if self.tie_rule is not TieRule.SHARED or merit != previous:
                rank, previous = position, merit
            ranks[line.entry] = rank
        return ranks

    def gap(self, line: Line, other: Line | None) -> int | None:
        """Time behind the other line; None unless both are ranked in one league."""
        if other is None or line.total_ms is None or other.total_ms is None:
            return None
        comparable = self.placed(line) and self.placed(other) and self.league(line) == self.league(other)
        return line.total_ms - other.total_ms if comparable else None

    def _tie(self, line: Line) -> tuple[float, ...]:
        """The special stages, backwards or forwards; the super specials only after all of them."""
        if self.tie_rule is TieRule.LAST_SS_BACKWARDS:
            return _times(line.splits[::-1] + line.super_splits[::-1])
        return _times(line.splits + line.super_splits) if self.tie_rule is TieRule.FIRST_SS_FORWARDS else ()


def _times(splits: tuple[int | None, ...]) -> tuple[float, ...]:
    return tuple(_NO_TIME if split is None else float(split) for split in splits)
