"""Missed waypoints: one penalty each, by type of waypoint and class (rulebook 2.3)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.common.said import Said
from apps.penalties.domain.formulas import Formula, Issued, applicable, bracket, clock
from apps.penalties.domain.registry import Offences, Terms, register
from apps.timing.domain.plan import COUNTED_WAYPOINTS, WaypointPlan
from apps.timing.domain.silences import Unproved

TYPE = "missed_waypoint"


TERMS = Terms(unit=Said("misses of one waypoint type"), targets="waypoint type", choices=COUNTED_WAYPOINTS)


# Not proved, and nobody has decided: no miss yet, and none counted towards a repeated one.
REVIEWED = "missed_waypoint_review"
NOT_PROVED = "no tracker recorded when it may have been passed: an official decides"


@register(TYPE, Said("Missed waypoint"), TERMS)
def missed_waypoint(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """One penalty per missed waypoint that a formula prices.

    Brackets count the misses of one waypoint type, in driving order, so that a rule may charge the third
    miss more than the first. One that was waived gives its number to the next, as does one that is not proved. That
    is issued with 0 ms, its gap and what it would cost, until an official decides (2.2).
    """
    issued: list[Issued] = []
    counts: Counter[str] = Counter()
    waived = offences.waived_targets(TYPE)
    for waypoint in offences.missed:
        number = counts[waypoint.type] + 1
        counts[waypoint.type] += waypoint.id not in waived | offences.in_doubt
        formula = bracket(applicable(formulas, waypoint.type, offences.race_class), number)
        if formula is not None:
            open_ = waypoint.id in offences.in_doubt - waived
            issued.append(_issue(waypoint, formula, _Miss(number, offences.unproved.get(waypoint.id), open_)))
    return issued


@dataclass(frozen=True, slots=True)
class _Miss:
    """Which miss of its type it is, why it is not proved, and whether it waits for a decision."""

    number: int
    unproved: Unproved | None
    open: bool

    def told(self, priced: str) -> dict[str, Any]:
        """What the inputs say of the gap; `priced` is the price of a miss."""
        if self.unproved is None:
            return {}
        told = {"case": "unproved", **self.unproved.told()}
        return told | {"arithmetic": f"not proved; {priced}", "review": [NOT_PROVED]} if self.open else told


def _issue(waypoint: WaypointPlan, formula: Formula, miss: _Miss) -> Issued:
    priced = f"{waypoint.type} missed: {clock(formula.penalty_ms)}"
    inputs = {
        "waypoint": waypoint.id,
        "waypoint_type": waypoint.type,
        "order": waypoint.order,
        "count": miss.number,
        "arithmetic": priced,
        **miss.told(priced),
    }
    ms, counter = (0, REVIEWED) if miss.open else (formula.penalty_ms, "")
    return Issued(formula.id, TYPE, waypoint.id, ms, inputs, formula.applies_to, formula.article, counter=counter)
