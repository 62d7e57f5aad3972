"""What a stage that was not finished, or not started, costs (rulebook 6.4, worked examples 7 and 11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from apps.common.said import Said
from apps.penalties.domain.brackets import Priced, issue
from apps.penalties.domain.formulas import Formula, Issued, applicable, clock
from apps.penalties.domain.registry import Before, Offences, Terms, register, settings_of

DNF, DNS = "dnf_lump", "dns_lump"
NO_MAXIMUM = "no maximum time set"
DAY_STARTED = "the day was started: an official says what this stage costs"
# Names of accounts: stages not started, days (legs) not started, stages started.
NOT_STARTED, NO_DAY, STARTED = "dns", "dns_day", "started"


@dataclass(frozen=True, slots=True)
class DnfParameters:
    """What is added to the lump itself: the stage penalty, the maximum times of the special stages.

    `statuses` of the stage bring the lump. With `count_missed` every waypoint not validated is missed as well.
    """

    stage_penalty_ms: int = 0
    add_maximum: bool = False
    count_missed: bool = True
    statuses: tuple[str, ...] = ("dnf", "otl")


@dataclass(frozen=True, slots=True)
class DnsParameters:
    """As for a DNF; with more than `allowed` not started in the event the crew is out of the classification.

    `per` says what is counted and bears the lump: each stage, or each leg none of whose stages was started (a day).
    Stage penalty, maximum and waypoints are of each stage all the same.
    """

    stage_penalty_ms: int = 0
    add_maximum: bool = False
    count_missed: bool = True
    allowed: int | None = None
    per: Literal["stage", "leg"] = "stage"


@register(DNF, Said("Stage not finished"), Terms(parameters=DnfParameters, prices_status=True))
def dnf_lump(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one, for a stage that was not finished or not finished in time."""
    formula = next(iter(applicable(formulas, "", offences.race_class)), None)
    if formula is None:
        return []
    settings = settings_of(formula, DnfParameters)
    return [_lump(formula, settings, offences)] if offences.status in settings.statuses else []


@register(DNS, Said("Stage not started"), Terms(parameters=DnsParameters, prices_status=True))
def dns_lump(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one, for a stage that was not started; counted as "dns", too many make the crew "nc"."""
    formula = next(iter(applicable(formulas, "", offences.race_class)), None)
    if formula is None or offences.status != "dns":
        return []
    settings = settings_of(formula, DnsParameters)
    before, of_legs = offences.before, settings.per == "leg"
    given, started = (before.leg.get(name, 0) if of_legs else 0 for name in (NOT_STARTED, STARTED))
    number = before.event.get(NO_DAY if of_legs else NOT_STARTED, 0) + (not given and not started)
    inputs = {"count": number, "allowed": settings.allowed} | ({"given_in_leg": given} if of_legs else {})
    issued = _lump(replace(formula, penalty_ms=0) if given or started else formula, settings, offences, inputs)
    if started:
        issued = replace(issued, inputs={**issued.inputs, "review": [*issued.inputs["review"], DAY_STARTED]})
    out = settings.allowed is not None and number > settings.allowed
    return [replace(issued, counter=NOT_STARTED, status="nc" if out else "")]


def on_account(before: Before, *, started: bool, not_started: bool) -> dict[str, int]:
    """What a stage puts on the account of days: `started` by the evidence, `not_started` by its status."""
    of_leg = before.leg.get(NOT_STARTED, 0) + before.leg.get(STARTED, 0)
    counts = {STARTED: int(started), NOT_STARTED: int(not_started), NO_DAY: int(not_started and not of_leg)}
    return {name: count for name, count in counts.items() if count}


def _lump(
    formula: Formula, settings: DnfParameters | DnsParameters, offences: Offences, more: Mapping[str, Any] | None = None
) -> Issued:
    parts = {"lump": formula.penalty_ms, "stage penalty": settings.stage_penalty_ms}
    if settings.add_maximum and offences.maximum_ms is not None:
        parts["maximum time"] = offences.maximum_ms
    unknown = settings.add_maximum and offences.maximum_ms is None
    total = sum(parts.values())
    words = " + ".join(f"{name} {clock(ms)}" for name, ms in parts.items() if ms or name == "lump")
    priced = Priced(formula, total, f"{words} = {clock(total)}", (NO_MAXIMUM,) if unknown else ())
    return issue(priced, "", {"stage_status": offences.status, "maximum_ms": offences.maximum_ms, **(more or {})})
