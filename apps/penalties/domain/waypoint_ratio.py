"""Too few waypoints: below a share of them the stage is scored as not finished (rulebook 2.3)."""

from collections.abc import Sequence

from apps.common.said import Said
from apps.penalties.domain.formulas import Formula, Issued, applicable
from apps.penalties.domain.registry import Offences, Terms, register

TYPE = "waypoint_ratio"


@register(TYPE, Said("Too few waypoints"), Terms(unit=Said("percent of the waypoints")))
def waypoint_ratio(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one penalty; its presence makes the stage a DNF.

    `offence_max` of the formula is the share in percent below which it falls: strictly, 70 % is enough. A waypoint that
    may have been passed while no tracker recorded is not left out for certain (2.2): it counts as validated.
    """
    formula = next(iter(applicable(formulas, "", offences.race_class)), None)
    if formula is None or formula.offence_max is None or not offences.finished or offences.total == 0:
        return []
    validated = offences.validated + len(offences.in_doubt)
    if validated * 100 >= formula.offence_max * offences.total:
        return []
    inputs = {
        "validated": validated,
        "total": offences.total,
        "minimum_percent": formula.offence_max,
        "arithmetic": f"{validated}/{offences.total} waypoints, below {formula.offence_max:g} %",
    }
    return [Issued(formula.id, TYPE, "", formula.penalty_ms, inputs, formula.applies_to, formula.article, status="dnf")]
