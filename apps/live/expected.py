"""The ranks crews on a stage would have now, there and overall, by their times at the last control. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

COUNTS = ("registered", "running", "finished")  # who is out of the stage is no rival any more
INSIDE = "running"


@dataclass(frozen=True, slots=True)
class Before:
    """What an entry brought into the stage: its total of the earlier ones in ms, and how many of them it has not."""

    ms: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Crew:
    """An entry with a start in the stage. `splits`: ms at each control, None where not (yet) reached."""

    entry: str
    race_number: int
    class_code: str
    status: str
    splits: Sequence[int | None] = ()
    before: Before = Before()


@dataclass(frozen=True, slots=True)
class Course:
    """A stage as its splits are read: the names of its controls, and how often its time counts in the sum."""

    stage: str
    name: str
    controls: Sequence[str]
    factor: int = 1


def expected(crews: Sequence[Crew], course: Course) -> list[dict[str, Any]]:
    """A line (`protocol`) of each crew inside the stage, by race number; ranks None before the first control."""
    rivals = [crew for crew in crews if crew.status in COUNTS]
    inside = sorted((crew for crew in rivals if crew.status == INSIDE), key=lambda crew: crew.race_number)
    return [_line(crew, rivals, course) for crew in inside]


def _line(own: Crew, rivals: Sequence[Crew], course: Course) -> dict[str, Any]:
    at = _last(own)
    ahead = [] if at is None else list(filter(_is_ahead(own, at, course.factor), rivals))
    in_class = sum(one.class_code == own.class_code for one in ahead)
    return {
        "entryId": own.entry,
        "raceNumber": own.race_number,
        "stageId": course.stage,
        "stage": course.name,
        "control": None if at is None else course.controls[at],
        "timeMs": None if at is None else own.splits[at],
        "rank": None if at is None else 1 + len(ahead),
        "classRank": None if at is None else 1 + in_class,
    }


def _last(crew: Crew) -> int | None:
    return max((at for at, ms in enumerate(crew.splits) if ms is not None), default=None)


def _is_ahead(own: Crew, at: int, factor: int) -> Callable[[Crew], bool]:
    """First fewer missing, then the sum at that control; who has not got there is taken to be as fast up to it."""
    ms = own.splits[at] or 0
    mark = own.before.missing, own.before.ms + factor * ms

    def is_ahead(one: Crew) -> bool:
        there = one.splits[at] if one.splits else None
        return (one.before.missing, one.before.ms + factor * (ms if there is None else there)) < mark

    return is_ahead
