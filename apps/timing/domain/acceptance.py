"""Whose time counts at a control: GPS, or one recorded beside it (rulebook 5.2, 9.2).

Evidence is never edited: every record stays, this only says which one is taken, and what there is to look at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from apps.timing.domain.marks import Grade, Mark, Source, worth
from apps.timing.domain.passages import Passage
from apps.timing.domain.plan import ControlPoint, Pick

Record = Passage | Mark


@dataclass(frozen=True, slots=True)
class Accepted:
    """The time taken at a control, epoch ms, from which source, and why somebody should look at it."""

    ts: int
    source: Source
    grade: Grade
    reviews: tuple[str, ...] = ()
    per_device: dict[int, int] = field(default_factory=dict)


def accept(gps: Passage | None, marks: Sequence[Mark], point: ControlPoint, discrepancy_ms: int) -> Accepted | None:
    """The best record of a control: by grade, then by the control's priority of sources; None without any.

    Of equal records the first counts, or the last where the control takes the last one.
    """
    records: list[Record] = [*([gps] if gps else []), *marks]
    if not records:
        return None
    latest = -1 if point.pick is not Pick.FIRST else 1
    chosen = min(records, key=lambda r: (*_worth(r, point, discrepancy_ms), latest * r.ts))
    grade, source = _standing(chosen, point, discrepancy_ms)
    reviews = (*_doubts(chosen, point, discrepancy_ms), *_discrepancies(chosen, records, discrepancy_ms))
    return Accepted(chosen.ts, source, grade, reviews, gps.per_device() if gps else {})


def _worth(record: Record, point: ControlPoint, discrepancy_ms: int) -> tuple[int, int]:
    grade, source = _standing(record, point, discrepancy_ms)
    return worth(grade, source, point.sources)


def _standing(record: Record, point: ControlPoint, discrepancy_ms: int) -> tuple[Grade, Source]:
    if isinstance(record, Mark):
        return record.grade, record.source
    doubtful = any(True for _ in _doubts(record, point, discrepancy_ms))
    return Grade.QUESTIONABLE if doubtful else Grade.GOOD, Source.GPS


def _doubts(record: Record, point: ControlPoint, discrepancy_ms: int) -> Iterator[str]:
    """Why the record is no better than questionable."""
    if isinstance(record, Mark):
        if record.grade is Grade.QUESTIONABLE:
            yield f"{record.source.value} record is questionable: {record.reason or 'no reason given'}"
        return
    if point.verify:
        yield "GPS crossing to be verified by hand"
    if record.crossing.uncertainty_ms > discrepancy_ms:
        yield f"GPS crossing uncertain by {record.crossing.uncertainty_ms / 1000:g} s"


def _discrepancies(chosen: Record, records: Sequence[Record], limit_ms: int) -> Iterator[str]:
    """Other records that tell another time: a second tracker, a beam, a card."""
    for other in records:
        if other is not chosen and abs(other.ts - chosen.ts) > limit_ms:
            yield f"{_name(other)} differs by {(other.ts - chosen.ts) / 1000:+g} s"
    if isinstance(chosen, Passage):
        for device, ts in chosen.per_device().items():
            if abs(ts - chosen.ts) > limit_ms:
                yield f"tracker {device + 1} differs by {(ts - chosen.ts) / 1000:+g} s"


def _name(record: Record) -> str:
    return "GPS" if isinstance(record, Passage) else record.source.value
