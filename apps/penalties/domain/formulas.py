"""The rules as data: a formula is one row of an event's penalty tables, an issued penalty one use of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# Organisers count sporting penalties for the start order, too (6.3, Dakar): a rule says so when it does not.
EVERYTHING = frozenset({"stage", "overall", "start_order"})


@dataclass(frozen=True, slots=True)
class Formula:
    """One row: for an offence of `type` within [offence_min, offence_max] (inclusive), `penalty_ms`.

    `target` is a waypoint type or a zone id, `race_class` a class id; "" stands for all.
    `mode` is how brackets become time (rulebook 3.5); `penalty_ms` is a rate in the modes marginal
    (per km/h, per minute…) and per_second. `applies_to` says which classifications the penalty touches (6.3).
    `params` are settings of the evaluator's own, e.g. a cap.
    """

    id: str
    type: str
    target: str = ""
    race_class: str = ""
    offence_min: float = 0
    offence_max: float | None = None
    penalty_ms: int = 0
    mode: str = "flat_max"
    applies_to: frozenset[str] = EVERYTHING
    article: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        return {**asdict(self), "applies_to": sorted(self.applies_to), "params": dict(self.params)}

    def covers(self, value: float) -> bool:
        """Whether the bracket holds the value; both edges belong to it."""
        return self.offence_min <= value and (self.offence_max is None or value <= self.offence_max)


@dataclass(frozen=True, slots=True)
class Issued:
    """A penalty as computed: `ms` of time and, frozen, the inputs it was computed from.

    `status` ("dnf", "otl", "nc", "dsq") is what it makes of the stage, "" when it only costs time. `counter` names
    the account it is counted on over the event, where that is not its type.
    """

    formula: str
    type: str
    target: str
    ms: int
    inputs: Mapping[str, Any] = field(default_factory=dict)
    applies_to: frozenset[str] = EVERYTHING
    article: str = ""
    fixes: tuple[int, ...] = ()
    status: str = ""
    counter: str = ""

    @property
    def key(self) -> str:
        """Stable identity of the offence: what an official's decision holds on to across recomputes."""
        return f"{self.type}:{self.target}"

    @property
    def counts_as(self) -> str:
        """The account on which repeated offences are counted."""
        return self.counter or self.type

    def to_json(self) -> dict[str, Any]:
        """The penalty as plain JSON values, sets sorted."""
        return {
            "formula": self.formula,
            "type": self.type,
            "target": self.target,
            "ms": self.ms,
            "inputs": dict(self.inputs),
            "applies_to": sorted(self.applies_to),
            "article": self.article,
            "fixes": list(self.fixes),
            "status": self.status,
            "counter": self.counter,
        }


def applicable(formulas: Iterable[Formula], target: str, race_class: str) -> list[Formula]:
    """The table of one offence: the most specific rows for its target and class, by bracket.

    A row for the target outranks one for the class, and either outranks a row for all: tables replace
    each other and never add up.
    """
    fitting = [f for f in formulas if f.target in ("", target) and f.race_class in ("", race_class)]
    best = max(map(_specificity, fitting), default=None)
    chosen = (f for f in fitting if _specificity(f) == best)
    return sorted(chosen, key=lambda f: (f.offence_min, f.id))


def bracket(table: Sequence[Formula], value: float) -> Formula | None:
    """The row that holds the value; where two rows share an edge the lower one does (3.6)."""
    return next((f for f in table if f.covers(value)), None)


def clock(ms: int) -> str:
    """A duration as h:mm:ss, with milliseconds only where there are any."""
    seconds, rest = divmod(abs(ms), 1000)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return ("-" if ms < 0 else "") + text + (f".{rest:03}" if rest else "")


def _specificity(formula: Formula) -> tuple[bool, bool]:
    return formula.target != "", formula.race_class != ""
