"""Decisions of officials: overlays on readings, by kind (design §1, rule 2; rulebook 8).

A decision names what it is about by identities that survive a recompute: the key of an offence, a segment, a
control. So it holds whatever the fixes turn out to say.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from apps.common.said import Said, about
from apps.penalties.domain.formulas import Issued
from apps.timing.domain.adjustments import Adjustment, Exclusion
from apps.timing.domain.marks import Grade, Mark, Source

IMPOSED = "imposed"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of decision is called, and its parameters with the type of each; "?" marks one that may lack."""

    title: str
    parameters: Mapping[str, str]


KINDS: dict[str, Kind] = {
    "waive_penalty": Kind(Said("penalty waived"), {"key": "text"}),
    "confirm_penalty": Kind(Said("penalty confirmed"), {"key": "text"}),
    "edit_penalty": Kind(Said("penalty changed"), {"key": "text", "ms": "duration"}),
    "impose_penalty": Kind(Said("penalty imposed"), {"ms": "duration", "applies_to": "scopes?"}),
    "confirm_time": Kind(Said("time confirmed"), {"control": "text", "ts": "instant"}),
    "time_credit": Kind(Said("time given back"), {"segment": "text", "ms": "duration"}),
    "notional_time": Kind(Said("notional time"), {"segment": "text", "ms": "duration"}),
    "opener_bonus": Kind(Said("opener's bonus"), {"segment": "text", "metres": "metres", "ms_per_km": "duration"}),
    "exclude_interval": Kind(
        Said("part of a section taken out"), {"segment": "text", "from_control": "text", "to_control": "text"}
    ),
    "set_status": Kind(Said("status"), {"status": "status"}),
    "faulty_fixes": Kind(Said("faulty fixes"), {"device": "text", "from_ts": "instant", "to_ts": "instant"}),
}
# What a parameter of each type is called.
TYPES = {
    "text": Said("a text"),
    "duration": Said("a duration in ms"),
    "instant": Said("an instant in ms"),
    "metres": Said("metres in whole numbers"),
    "scopes": Said("a list of classifications"),
    "status": Said("a status"),
}
STATUSES = ("dns", "dnf", "otl", "nc", "dsq")
SCOPES = ("stage", "overall", "start_order")
OF_ONE_ENTRY = frozenset(KINDS) - {"exclude_interval", "notional_time", "faulty_fixes"}
OF_ONE_STAGE = frozenset(KINDS) - {"faulty_fixes", "set_status"}


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision in force; `entry` and `race_class` are "" where it holds for all, `stage` for every stage."""

    id: str
    number: int
    kind: str
    params: Mapping[str, Any]
    entry: str = ""
    race_class: str = ""
    stage: str = ""
    article: str = ""
    reason: str = ""

    def binds(self, entry: str, race_class: str, stage: str) -> bool:
        """Whether it is about this entry in this stage."""
        return self.entry in ("", entry) and self.race_class in ("", race_class) and self.stage in ("", stage)


@dataclass(frozen=True, slots=True)
class Overlay:
    """What officials decided about one entry in one stage. Penalties are named by `Issued.key`."""

    status: str = ""
    waived: frozenset[str] = frozenset()
    confirmed: frozenset[str] = frozenset()
    edited: Mapping[str, int] = field(default_factory=dict)
    imposed: tuple[Issued, ...] = ()
    marks: tuple[Mark, ...] = ()
    adjustments: Mapping[str, Adjustment] = field(default_factory=dict)
    signed: Mapping[str, str] = field(default_factory=dict)  # key of the penalty → id of the decision on it

    @property
    def upheld(self) -> frozenset[str]:
        """The offences that officials hold to have happened."""
        return self.confirmed | self.edited.keys()

    def counts(self, issued: Issued) -> bool:
        return issued.key not in self.waived


def overlay(decisions: Iterable[Decision]) -> Overlay:
    """The decisions as one overlay; of two on the same thing the later number holds."""
    ordered = sorted(decisions, key=lambda d: (d.number, d.id))
    words = [d.params["status"] for d in ordered if d.kind == "set_status"]
    last = {d.params["key"]: d for d in ordered if "key" in KINDS[d.kind].parameters}
    imposed = [d for d in ordered if d.kind == "impose_penalty"]
    return Overlay(
        status=words[-1] if words else "",
        waived=frozenset(key for key, d in last.items() if d.kind == "waive_penalty"),
        confirmed=frozenset(key for key, d in last.items() if d.kind == "confirm_penalty"),
        edited={key: d.params["ms"] for key, d in last.items() if d.kind == "edit_penalty"},
        imposed=tuple(map(_imposed, imposed)),
        marks=tuple(_confirmed(d) for d in ordered if d.kind == "confirm_time"),
        adjustments=_adjustments(ordered),
        signed={key: d.id for key, d in last.items()} | {f"{IMPOSED}:{d.id}": d.id for d in imposed},
    )


def problems(kind: str, params: Any) -> list[Said]:
    """Why a decision of this kind cannot be followed, each as a sentence naming the parameter."""
    if kind not in KINDS:
        return [about("kind", Said("%(given)s is none of %(known)s", given=repr(kind), known=", ".join(KINDS)))]
    if not isinstance(params, dict):
        return [about("params", Said("an object is needed"))]
    return [about(name, reason) for name, reason in _problems(KINDS[kind].parameters, params)]


def _problems(wanted: Mapping[str, str], params: Mapping[str, Any]) -> Iterator[tuple[str, Said]]:
    for name in params.keys() - wanted.keys():
        yield name, Said("unknown; there are %(known)s", known=", ".join(wanted))
    for name, type_ in wanted.items():
        if name not in params:
            if not type_.endswith("?"):
                yield name, Said("missing")
        elif not _fits(type_.rstrip("?"), params[name]):
            yield name, Said("%(given)s is not %(kind)s", given=repr(params[name]), kind=TYPES[type_.rstrip("?")])
    if {"from_ts", "to_ts"} <= params.keys() and _both_instants(params) and params["from_ts"] > params["to_ts"]:
        yield "to_ts", Said("before from_ts")


def _both_instants(params: Mapping[str, Any]) -> bool:
    return _fits("instant", params["from_ts"]) and _fits("instant", params["to_ts"])


def _fits(type_: str, value: Any) -> bool:
    if type_ == "text":
        return isinstance(value, str) and value != ""
    if type_ == "status":
        return value in STATUSES
    if type_ == "scopes":
        return isinstance(value, list) and bool(value) and all(scope in SCOPES for scope in value)
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _imposed(decision: Decision) -> Issued:
    scopes = frozenset(decision.params.get("applies_to", SCOPES))
    inputs = {"decision": decision.number, "reason": decision.reason, "arithmetic": "imposed by decision"}
    return Issued("", IMPOSED, decision.id, decision.params["ms"], inputs, scopes, decision.article)


def _confirmed(decision: Decision) -> Mark:
    params = decision.params
    return Mark(decision.id, params["control"], params["ts"], Source.TIMEKEEPER, Grade.CONFIRMED, decision.reason)


def _adjustments(ordered: Sequence[Decision]) -> dict[str, Adjustment]:
    """Per segment: credits add up, of notional times and opener's bonuses the last holds, every exclusion holds."""
    found: dict[str, Adjustment] = {}
    for decision in ordered:
        if decision.kind in _ADJUSTED:
            segment = decision.params["segment"]
            found[segment] = _ADJUSTED[decision.kind](found.get(segment, Adjustment()), decision)
    return found


def _excluding(held: Adjustment, by: Decision) -> Adjustment:
    exclusion = Exclusion(by.params["from_control"], by.params["to_control"])
    return replace(held, excluded=(*held.excluded, exclusion))


def _with_bonus(held: Adjustment, by: Decision) -> Adjustment:
    return replace(held, bonus_ms=by.params["metres"] * by.params["ms_per_km"] // 1000)


# A bonus was once counted twice, and found out two hours later (7.3): a second one replaces the first.
_ADJUSTED: Mapping[str, Callable[[Adjustment, Decision], Adjustment]] = {
    "time_credit": lambda held, by: replace(held, credit_ms=held.credit_ms + by.params["ms"]),
    "notional_time": lambda held, by: replace(held, notional_ms=by.params["ms"], for_all=not by.entry),
    "opener_bonus": _with_bonus,
    "exclude_interval": _excluding,
}
