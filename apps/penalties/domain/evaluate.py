"""All penalties of one entry in one stage. Importing this module registers every evaluator."""

from collections.abc import Sequence
from importlib import import_module

from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.domain.registry import EVALUATORS, Offences

__all__ = ["EVALUATORS", "evaluate"]

MODULES = (
    "closed_control",
    "false_start",
    "fixed_penalty",
    "incident",
    "late_start",
    "lateness",
    "lumps",
    "maximum_time",
    "missed_waypoint",
    "neutralisation",
    "speed_zone",
    "time_control",
    "waypoint_ratio",
)
for _module in MODULES:
    import_module(f"apps.penalties.domain.{_module}")


def evaluate(offences: Offences, formulas: Sequence[Formula]) -> tuple[Issued, ...]:
    """Every penalty the formulas give, by type and target; independent of the order of the formulas.

    Those that price a status are issued only when `offences.status` names one. Raises ValueError for a formula
    whose type has no evaluator.
    """
    unknown = sorted({f.type for f in formulas} - EVALUATORS.keys())
    if unknown:
        raise ValueError(f"no evaluator for penalty type {', '.join(unknown)}")
    issued = [
        penalty
        for name, evaluator in EVALUATORS.items()
        if (offences.status or not evaluator.terms.prices_status) and (rows := [f for f in formulas if f.type == name])
        for penalty in evaluator.evaluate(offences, rows)
    ]
    return tuple(sorted(issued, key=lambda penalty: penalty.key))
