"""Missed waypoints: one penalty each, by type of waypoint and class (rulebook 2.3)."""

from collections import Counter
from collections.abc import Sequence

from apps.common.said import Said
from apps.penalties.domain.formulas import Formula, Issued, applicable, bracket, clock
from apps.penalties.domain.registry import Offences, Terms, register
from apps.timing.domain.plan import COUNTED_WAYPOINTS, WaypointPlan

TYPE = "missed_waypoint"


TERMS = Terms(unit="misses of one waypoint type", targets="waypoint type", choices=COUNTED_WAYPOINTS)


@register(TYPE, Said("Missed waypoint"), TERMS)
def missed_waypoint(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """One penalty per missed waypoint that a formula prices.

    Brackets count the misses of one waypoint type, in driving order, so that a rule may charge the third
    miss more than the first. One that was waived gives its number to the next.
    """
    issued: list[Issued] = []
    counts: Counter[str] = Counter()
    waived = offences.waived_targets(TYPE)
    for waypoint in offences.missed:
        number = counts[waypoint.type] + 1
        counts[waypoint.type] += waypoint.id not in waived
        formula = bracket(applicable(formulas, waypoint.type, offences.race_class), number)
        if formula is not None:
            issued.append(_issue(waypoint, formula, number))
    return issued


def _issue(waypoint: WaypointPlan, formula: Formula, count: int) -> Issued:
    inputs = {
        "waypoint": waypoint.id,
        "waypoint_type": waypoint.type,
        "order": waypoint.order,
        "count": count,
        "arithmetic": f"{waypoint.type} missed: {clock(formula.penalty_ms)}",
    }
    return Issued(formula.id, TYPE, waypoint.id, formula.penalty_ms, inputs, formula.applies_to, formula.article)
