"""All penalties of one entry in one stage. Importing this module registers every evaluator."""

from collections.abc import Sequence

from apps.penalties.domain import missed_waypoint, speed_zone, waypoint_ratio
from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.domain.registry import EVALUATORS, Offences

__all__ = ["evaluate", "missed_waypoint", "speed_zone", "waypoint_ratio"]


def evaluate(offences: Offences, formulas: Sequence[Formula]) -> tuple[Issued, ...]:
    """Every penalty the formulas give, by type and target; independent of the order of the formulas.

    Raises ValueError for a formula whose type has no evaluator.
    """
    unknown = sorted({f.type for f in formulas} - EVALUATORS.keys())
    if unknown:
        raise ValueError(f"no evaluator for penalty type {', '.join(unknown)}")
    issued = [
        penalty
        for name, evaluator in EVALUATORS.items()
        if (rows := [f for f in formulas if f.type == name])
        for penalty in evaluator(offences, rows)
    ]
    return tuple(sorted(issued, key=lambda penalty: penalty.key))
