"""Stays inside a circle or polygon, put together from its crossings."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.course.domain.crossings import Crossing, Direction


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay inside; None where the record, or what is left of it, begins or ends inside."""

    enter: Crossing | None
    leave: Crossing | None


def visits(crossings: Iterable[Crossing]) -> list[Visit]:
    """The stays of one device in one control, by time.

    A second enter without a leave between them begins a new stay, as does a leave without an enter: a gap
    swallowed the other one, and nothing is guessed.
    """
    found: list[Visit] = []
    inside: Crossing | None = None
    for crossing in sorted(crossings, key=_along_the_record):
        if crossing.direction is Direction.ENTER:
            if inside is not None:
                found.append(Visit(inside, None))
            inside = crossing
        else:
            found.append(Visit(inside, crossing))
            inside = None
    if inside is not None:
        found.append(Visit(inside, None))
    return found


def _along_the_record(crossing: Crossing) -> tuple[int, int, float, int, bool]:
    leaves = crossing.direction is not Direction.ENTER
    return crossing.ts, crossing.before_ts, crossing.fraction, crossing.occurrence, leaves
