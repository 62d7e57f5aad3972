"""The evaluators by name: a penalty type is a function from offences and formulas to penalties."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from apps.course.domain.fixes import Fixes
from apps.penalties.domain.formulas import Formula, Issued
from apps.timing.domain.plan import WaypointPlan
from apps.timing.domain.zone_intervals import ZoneInterval


@dataclass(frozen=True, slots=True, eq=False)
class ZoneDrive:
    """A speed zone as driven: limits in km/h, and one set of fixes (of one device) per interval."""

    zone: str
    segment: str
    limit_kmh: float
    tolerance_kmh: float
    intervals: tuple[ZoneInterval, ...]
    fixes: tuple[Fixes, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Offences:
    """What one entry did in one stage, for the evaluators to price.

    `finished` tells whether every special stage is finished: only then do shares of waypoints count.
    """

    race_class: str
    missed: tuple[WaypointPlan, ...] = ()
    validated: int = 0
    total: int = 0
    finished: bool = False
    zones: tuple[ZoneDrive, ...] = ()


Evaluator: TypeAlias = Callable[[Offences, Sequence[Formula]], list[Issued]]

EVALUATORS: dict[str, Evaluator] = {}


def register(name: str) -> Callable[[Evaluator], Evaluator]:
    """Make a function the evaluator of a penalty type; a name taken twice raises ValueError."""

    def keep(evaluator: Evaluator) -> Evaluator:
        if name in EVALUATORS:
            raise ValueError(f"two evaluators named {name}")
        EVALUATORS[name] = evaluator
        return evaluator

    return keep
