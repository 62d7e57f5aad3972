"""Times recorded beside GPS: by hand, by a beam, on the card (rulebook 4.1, 5.2)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Who or what recorded a time."""

    GPS = "gps"
    MARSHAL = "marshal"
    TIMEKEEPER = "timekeeper"
    BEAM = "beam"
    CARD = "card"


class Grade(StrEnum):
    """How far a record is trusted."""

    GOOD = "good"
    QUESTIONABLE = "questionable"
    BAD = "bad"
    CONFIRMED = "confirmed"


# The card prevails over the sheet (rulebook 9.2); what a machine saw outranks what a person wrote.
BEST_FIRST = (Source.CARD, Source.BEAM, Source.TIMEKEEPER, Source.MARSHAL, Source.GPS)

# The better grade decides before the source: a doubtful card does not outrank a good crossing.
_GRADES = (Grade.CONFIRMED, Grade.GOOD, Grade.QUESTIONABLE)


@dataclass(frozen=True, slots=True)
class Mark:
    """A recorded time at a control, epoch ms. `reason` says why its grade is what it is."""

    id: str
    control: str
    ts: int
    source: Source
    grade: Grade = Grade.GOOD
    reason: str = ""


Marks = Mapping[str, Sequence[Mark]]
"""Marks of one entry by control."""


def by_control(marks: Iterable[Mark]) -> Marks:
    """The usable marks by control, in an order that does not depend on how they came; bad ones are left out."""
    found: dict[str, list[Mark]] = {}
    for mark in sorted(marks, key=lambda m: (m.ts, m.id)):
        if mark.grade is not Grade.BAD:
            found.setdefault(mark.control, []).append(mark)
    return found


def worth(grade: Grade, source: Source, priority: Sequence[str]) -> tuple[int, int]:
    """Where a record stands among others: lower is better. A source the event does not list comes last."""
    place = priority.index(source) if source in priority else len(priority)
    return _GRADES.index(grade), place
