"""The evaluators by name: a penalty type is a function from offences and formulas to penalties.

An evaluator says what its formulas mean: the unit of their brackets, the modes it knows, its parameters. Profiles,
the admin and imports are checked against that (`problems`), so that a rule nobody can compute is never stored.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from apps.common.said import Said
from apps.course.domain.fixes import Fixes
from apps.penalties.domain.formulas import Formula, Issued
from apps.timing.domain.plan import WaypointPlan
from apps.timing.domain.silences import Unproved
from apps.timing.domain.zone_intervals import ZoneInterval


@dataclass(frozen=True, slots=True, eq=False)
class ZoneDrive:
    """A speed zone as driven: limits in km/h, and the fixes it is judged by in sets of one device each.

    `others` are those of the other devices at the same time.
    """

    zone: str
    segment: str
    limit_kmh: float
    tolerance_kmh: float
    intervals: tuple[ZoneInterval, ...]
    fixes: tuple[Fixes, ...]
    others: tuple[Fixes, ...] = ()


@dataclass(frozen=True, slots=True)
class LatePassage:
    """A waypoint validated (`ts`) after it had closed; epoch ms."""

    waypoint: WaypointPlan
    closes_ts: int
    ts: int


@dataclass(frozen=True, slots=True)
class TimeCheck:
    """A time control: when the crew was due and the minute recorded for it (rulebook 4.1); epoch ms.

    `recorded_ts` is whole minutes, seconds dropped, None where the control was not visited; `source` is that of the
    record kept ("gps" where no person or beam recorded it). `kind` is "main" or "main-out" at such a control (4.2),
    `allowance_ms` lateness that was allowed in writing (4.1, MSUK 10.1d). `ended`: the crew drove no further. A control
    is `scheduled` where the crew is due by a timetable, not by its departure (4.1, MSUK 10.1c).
    """

    segment: str
    control: str
    due_ts: int
    recorded_ts: int | None
    source: str = "gps"
    kind: str = ""
    allowance_ms: int = 0
    ended: bool = False
    scheduled: bool = False


@dataclass(frozen=True, slots=True)
class StartDrive:
    """The start of a special stage: the instant assigned and the one driven; epoch ms."""

    segment: str
    assigned_ts: int
    actual_ts: int


@dataclass(frozen=True, slots=True)
class NeutralStay:
    """A neutralisation: validated DN, left FN (epoch ms), and what it was allotted (ms) (rulebook 8.1)."""

    segment: str
    from_ts: int
    exit_ts: int
    allotted_ms: int

    @property
    def early_ms(self) -> int:
        """How much too early the crew left; 0 when it did not."""
        return max(0, self.from_ts + self.allotted_ms - self.exit_ts)


@dataclass(frozen=True, slots=True)
class SegmentDrive:
    """A special stage or liaison as driven, durations in ms; `raw_ms` None = not finished.

    `raw_ms` is truncated to the unit of the segment (5.3) before it is held against the maximum (5.4); None, too, where
    officials awarded a notional time instead (8.3).
    """

    segment: str
    special: bool
    raw_ms: int | None
    maximum_ms: int | None
    started: bool


@dataclass(frozen=True, slots=True)
class Incident:
    """What an official saw and reported: a false start, a code asked for, a road offence.

    `kind` is what formulas name as their target, `value_ms` what the report measured (time gained), if anything.
    """

    id: str
    kind: str
    ts: int
    value_ms: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Before:
    """What an entry has on its account from earlier stages: counts by `Issued.counts_as`."""

    event: Mapping[str, int] = field(default_factory=dict)
    leg: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Offences:
    """What one entry did in one stage, for the evaluators to price.

    `finished` tells whether every special stage is finished: only then do shares of waypoints count. `status`
    ("dnf", "dns", "otl") is set for the lumps alone, which price a status and run after all others;
    `maximum_ms` is the sum of the special stages' maximum times, None where one has none. `waived` are the keys
    (`Issued.key`) of offences that do not count towards repeated ones. `unproved` tells of missed waypoints, by id,
    when they may have been passed unseen; those of them `in_doubt` are not held against the crew (2.2).
    """

    race_class: str
    missed: tuple[WaypointPlan, ...] = ()
    validated: int = 0
    total: int = 0
    finished: bool = False
    zones: tuple[ZoneDrive, ...] = ()
    late: tuple[LatePassage, ...] = ()
    checks: tuple[TimeCheck, ...] = ()
    starts: tuple[StartDrive, ...] = ()
    neutral: tuple[NeutralStay, ...] = ()
    segments: tuple[SegmentDrive, ...] = ()
    incidents: tuple[Incident, ...] = ()
    before: Before = field(default_factory=Before)
    status: str = ""
    maximum_ms: int | None = None
    waived: frozenset[str] = frozenset()
    unproved: Mapping[str, Unproved] = field(default_factory=dict)
    in_doubt: frozenset[str] = frozenset()

    def waived_targets(self, kind: str) -> frozenset[str]:
        """The targets of the waived offences of a penalty type."""
        return frozenset(key.removeprefix(f"{kind}:") for key in self.waived if key.startswith(f"{kind}:"))


Evaluate: TypeAlias = Callable[[Offences, Sequence[Formula]], list[Issued]]
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class NoParameters:
    """An evaluator without settings of its own."""


FLAT = frozenset({"flat_max"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What the formulas of an evaluator mean.

    `unit` is what their brackets count, `targets` what their target names, `choices` all the targets there are, where
    that is known; `parameters` is a dataclass of plain values with defaults. `prices_status` marks the lumps: they run
    once the status is known.
    """

    unit: str = ""
    modes: frozenset[str] = FLAT
    targets: str = ""
    parameters: type = NoParameters
    prices_status: bool = False
    choices: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A penalty type."""

    name: str
    title: str
    evaluate: Evaluate
    terms: Terms


EVALUATORS: dict[str, Evaluator] = {}


def register(name: str, title: str, terms: Terms) -> Callable[[Evaluate], Evaluate]:
    """Make a function the evaluator of a penalty type; a name taken twice raises ValueError."""

    def keep(evaluate: Evaluate) -> Evaluate:
        if name in EVALUATORS:
            raise ValueError(f"two evaluators named {name}")
        EVALUATORS[name] = Evaluator(name, title, evaluate, terms)
        return evaluate

    return keep


def settings_of(formula: Formula, kind: type[P]) -> P:
    """The formula's parameters as the evaluator's own dataclass; TypeError for one it does not know."""
    return kind(**{name: _frozen(value) for name, value in formula.params.items()})


def table_settings(table: Sequence[Formula], kind: type[P]) -> P:
    """The parameters of a whole table: one given on any row holds for all; where rows differ, the lowest row's."""
    merged = {name: _frozen(value) for row in reversed(table) for name, value in row.params.items()}
    return kind(**merged)


def problems(formula: Formula) -> Iterator[tuple[str, Said]]:
    """Why a formula cannot be computed: (field, reason) each."""
    evaluator = EVALUATORS.get(formula.type)
    if evaluator is None:
        known = ", ".join(sorted(EVALUATORS))
        yield "type", Said("no evaluator named %(given)s; there are %(known)s", given=repr(formula.type), known=known)
        return
    terms = evaluator.terms
    if formula.mode not in terms.modes:
        yield "mode", _unknown(formula, terms.modes, formula.mode)
    if formula.target and terms.choices and formula.target not in terms.choices:
        yield "target", _unknown(formula, terms.choices, formula.target)
    if formula.penalty_ms < 0:
        yield "penalty", Said("%(ms)s ms is negative", ms=formula.penalty_ms)
    if formula.offence_max is not None and formula.offence_max < formula.offence_min:
        edges = {"high": f"{formula.offence_max:g}", "low": f"{formula.offence_min:g}"}
        yield "offence_max", Said("%(high)s is below offence_min %(low)s", **edges)
    yield from _wrong_parameters(formula, terms.parameters)


def _unknown(formula: Formula, known: frozenset[str], given: str) -> Said:
    words = ", ".join(sorted(known))
    return Said("%(type)s knows %(known)s, not %(given)s", type=formula.type, known=words, given=repr(given))


def _wrong_parameters(formula: Formula, kind: type) -> Iterator[tuple[str, Said]]:
    known = {f.name: f for f in fields(kind)}
    hints = get_type_hints(kind)
    for name, value in formula.params.items():
        field = f"params.{name}"
        if name not in known:
            words = ", ".join(sorted(known)) or Said("none")
            yield field, Said("unknown to %(type)s; it knows %(known)s", type=formula.type, known=words)
        elif get_origin(hints[name]) is Literal:
            if value not in (choices := get_args(hints[name])):
                words = ", ".join(map(repr, choices))
                yield field, Said("%(given)s is none of %(known)s", given=repr(value), known=words)
        elif not _fits(value, _default(known[name])):
            yield field, Said("%(given)s is of the wrong kind", given=repr(value))


def _default(of: Any) -> Any:
    return of.default_factory() if of.default_factory is not MISSING else of.default


def _fits(value: Any, default: Any) -> bool:
    """Whether a value is of the kind of the parameter's default; None stands for a number not given.

    Numbers are times, counts and rates: none is ever negative.
    """
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if default is None or isinstance(default, int | float):
        return (isinstance(value, int | float) and value >= 0) or (default is None and value is None)
    if isinstance(default, tuple):
        return isinstance(value, list | tuple) and all(_fits(v, default[0]) for v in value)
    return isinstance(value, type(default))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
