"""From what a stage came to for an entry to the line that is ranked: the one place that says how."""

from dataclasses import dataclass

from apps.scoring.domain.classification import Line
from apps.scoring.domain.status import DECIDED, GONE, LUMPED, Status


@dataclass(frozen=True, slots=True)
class Competitor:
    """Who is ranked, and where. `word` is its event-wide status (rulebook 6.4)."""

    entry: str
    race_number: int
    race_class: str
    team: str = ""
    group: str = ""
    word: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a stage came to, times in ms. `super_special` stages decide ties only after all others (6.5).

    Its time counts `overall_factor` times in the event (7.1).
    """

    status: Status
    total_ms: int | None
    splits: tuple[int | None, ...] = ()
    penalty_ms: int = 0
    overall_penalty_ms: int = 0
    start_order_penalty_ms: int = 0
    super_special: bool = False
    overall_factor: int = 1


NOTHING_YET = Reading(Status.REGISTERED, None)


def stage_line(reading: Reading, who: Competitor) -> Line:
    """The line of a stage; a crew still on its way is complete so far.

    A lump is a time (6.4), unless the crew has left the event: then the stage it did not finish has no total.
    """
    lumped = reading.status in LUMPED and reading.total_ms is not None and who.word not in GONE
    total = reading.total_ms if lumped or reading.status not in LUMPED else None
    clean = None if lumped or total is None else total - reading.penalty_ms
    return Line(
        entry=who.entry,
        race_number=who.race_number,
        race_class=who.race_class,
        status=reading.status,
        total_ms=total,
        splits=() if reading.super_special else reading.splits,
        complete=reading.status not in DECIDED,
        team=who.team,
        completed=int(total is not None),
        overall_extra_ms=reading.overall_penalty_ms - reading.penalty_ms,
        group=who.group,
        super_splits=reading.splits if reading.super_special else (),
        lumped=lumped,
        clean_ms=clean,
        start_order_ms=None if clean is None else clean + reading.start_order_penalty_ms,
        penalty_ms=0 if total is None else reading.penalty_ms,
        extra_time_ms=(reading.overall_factor - 1) * (clean or 0) if reading.overall_factor else 0,
    )
