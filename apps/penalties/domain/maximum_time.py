"""Over the maximum time of a special stage or liaison (rulebook 4.2, 5.4, 6.4; Serres: ideal + 50 %)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from apps.common.said import Said
from apps.penalties.domain.brackets import issue, price_units
from apps.penalties.domain.formulas import Formula, Issued, applicable
from apps.penalties.domain.registry import Offences, SegmentDrive, Terms, register, settings_of

TYPE = "maximum_time"
SPECIAL, LIAISON = "special", "liaison"
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class MaximumParameters:
    """`status` is what going over makes of the stage, "" when it only costs time."""

    status: Literal["", "otl", "dnf"] = "otl"


TERMS = Terms(
    Said("whole minutes over the maximum"),
    targets="special or liaison",
    parameters=MaximumParameters,
    choices=frozenset({SPECIAL, LIAISON}),
)


@register(TYPE, Said("Over the maximum time"), TERMS)
def maximum_time(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one penalty per segment driven in more than its maximum: exactly the maximum is in time."""
    return list(_issued(offences, formulas))


def _issued(offences: Offences, formulas: Sequence[Formula]) -> Iterator[Issued]:
    for drive in offences.segments:
        if drive.raw_ms is not None and drive.maximum_ms is not None and drive.raw_ms > drive.maximum_ms:
            table = applicable(formulas, SPECIAL if drive.special else LIAISON, offences.race_class)
            yield from _over(drive, drive.raw_ms - drive.maximum_ms, table)


def _over(drive: SegmentDrive, over_ms: int, table: Sequence[Formula]) -> Iterator[Issued]:
    priced = price_units(table, over_ms // MINUTE_MS, "min over")
    if priced is not None:
        inputs = {
            "segment": drive.segment,
            "case": SPECIAL if drive.special else LIAISON,
            "driven_ms": drive.raw_ms,
            "maximum_ms": drive.maximum_ms,
            "over_ms": over_ms,
        }
        status = settings_of(priced.formula, MaximumParameters).status
        yield replace(issue(priced, drive.segment, inputs), status="" if priced.review else status)
