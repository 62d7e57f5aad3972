"""Passages at a control after it had closed (rulebook 4.3, worked example 14)."""

from collections.abc import Iterator, Sequence

from apps.common.said import Said
from apps.penalties.domain.brackets import UNIT_MODES, issue, price_units
from apps.penalties.domain.formulas import Formula, Issued, applicable
from apps.penalties.domain.registry import Offences, Terms, register

TYPE = "closed_control"
MINUTE_MS = 60_000


@register(TYPE, Said("Control closed"), Terms(Said("whole minutes after closing"), UNIT_MODES, "waypoint type"))
def closed_control(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """One penalty per waypoint passed after its closing that a formula prices; at the closing is in time."""
    return list(_issued(offences, formulas))


def _issued(offences: Offences, formulas: Sequence[Formula]) -> Iterator[Issued]:
    for late in offences.late:
        table = applicable(formulas, late.waypoint.type, offences.race_class)
        minutes = (late.ts - late.closes_ts) // MINUTE_MS
        priced = price_units(table, minutes, "min after closing") if late.ts > late.closes_ts else None
        if priced is not None:
            inputs = {
                "waypoint": late.waypoint.id,
                "waypoint_type": late.waypoint.type,
                "order": late.waypoint.order,
                "closes_ts": late.closes_ts,
                "passed_ts": late.ts,
                "minutes": minutes,
            }
            yield issue(priced, late.waypoint.id, inputs)
