"""Ranking lines of a stage or an event (rulebook 6.1, 6.2, 6.5)."""

from dataclasses import dataclass
from enum import StrEnum

from apps.scoring.domain.status import Status


class TieRule(StrEnum):
    """How equal totals are told apart (rulebook 6.5)."""

    LAST_SS_BACKWARDS = "last_ss_backwards"
    FIRST_SS_FORWARDS = "first_ss_forwards"
    NUMBER = "number"
    SHARED = "shared_rank"


@dataclass(frozen=True, slots=True)
class Line:
    """An entry to be ranked; times in ms.

    `splits` are its special-stage times in order, for ties. `completed` counts finished stages, so that a
    running event ranks those who have driven more first. `overall_extra_ms` is what the event adds to
    `total_ms` beyond the stage: penalties that touch only the overall (6.3), negative for those that
    touch only the stage.
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


@dataclass(frozen=True, slots=True)
class Ranked:
    """The rank of an entry; None where it has none. `gap_ms` is to the leader, where comparable."""

    entry: str
    rank: int | None
    class_rank: int | None
    gap_ms: int | None
