"""Late at the start of a special stage through the crew's own fault (rulebook 4.2, 5.1, worked example 15).

Whether the clock runs from the assigned or from the driven start is the segment's `start_from`; this is the penalty
that comes on top, or instead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from apps.common.said import Said
from apps.penalties.domain.brackets import UNIT_MODES, Priced, issue, price_units
from apps.penalties.domain.formulas import Formula, Issued, applicable
from apps.penalties.domain.registry import Offences, StartDrive, Terms, register, table_settings

TYPE = "late_start"
UNIT_MS = {"minute": 60_000, "second": 1000}


@dataclass(frozen=True, slots=True)
class LateStartParameters:
    """`unit` of the brackets; more than `limit_minutes` (whole minutes) late is not started, 0 = never."""

    unit: Literal["minute", "second"] = "minute"
    limit_minutes: int = 0


@register(
    TYPE, Said("Late start"), Terms(Said("whole minutes (or seconds) late"), UNIT_MODES, parameters=LateStartParameters)
)
def late_start(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one penalty per special stage; what is not a whole unit is dropped to the crew's benefit."""
    table = applicable(formulas, "", offences.race_class)
    return list(_issued(offences, table)) if table else []


def _issued(offences: Offences, table: Sequence[Formula]) -> Iterator[Issued]:
    settings = table_settings(table, LateStartParameters)
    for start in offences.starts:
        units = (start.actual_ts - start.assigned_ts) // UNIT_MS[settings.unit]
        minutes = (start.actual_ts - start.assigned_ts) // UNIT_MS["minute"]
        if settings.limit_minutes and minutes > settings.limit_minutes:
            words = f"{minutes} min late, limit {settings.limit_minutes} min: not started"
            yield replace(_issue(start, Priced(table[0], 0, words), settings), status="dns")
        elif (
            units > 0 and (priced := price_units(table, units, _SHORT[settings.unit])) and (priced.ms or priced.review)
        ):
            yield _issue(start, priced, settings)


_SHORT = {"minute": "min", "second": "s"}


def _issue(start: StartDrive, priced: Priced, settings: LateStartParameters) -> Issued:
    inputs = {
        "segment": start.segment,
        "assigned_ts": start.assigned_ts,
        "actual_ts": start.actual_ts,
        "late_ms": start.actual_ts - start.assigned_ts,
        "unit": settings.unit,
        "limit_minutes": settings.limit_minutes,
    }
    return issue(priced, start.segment, inputs)
