"""What a stage that was not finished, or not started, costs (rulebook 6.4, worked examples 7 and 11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from apps.common.said import Said
from apps.penalties.domain.brackets import Priced, issue
from apps.penalties.domain.formulas import Formula, Issued, applicable, clock
from apps.penalties.domain.registry import Offences, Terms, register, settings_of

DNF, DNS = "dnf_lump", "dns_lump"
NO_MAXIMUM = "no maximum time set"


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
    """As for a DNF; with more than `allowed` stages not started in the event the crew is out of the classification."""

    stage_penalty_ms: int = 0
    add_maximum: bool = False
    count_missed: bool = True
    allowed: int | None = None


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
    number = offences.before.event.get("dns", 0) + 1
    issued = _lump(formula, settings, offences, {"count": number, "allowed": settings.allowed})
    out = settings.allowed is not None and number > settings.allowed
    return [replace(issued, counter="dns", status="nc" if out else "")]


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
