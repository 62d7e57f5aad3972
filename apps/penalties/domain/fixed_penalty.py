"""The fixed penalty of the day, instead of exclusion: once a leg (rulebook 1.2, 6.4; Dakar 19P5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.common.said import Said
from apps.penalties.domain.brackets import Priced, flat, issue
from apps.penalties.domain.formulas import Formula, Issued, applicable
from apps.penalties.domain.registry import Offences, Terms, register, settings_of

TYPE = "fixed_penalty"
ALREADY_GIVEN = "already given in this leg"


@dataclass(frozen=True, slots=True)
class FixedParameters:
    """`statuses` of the stage that bring the fixed penalty."""

    statuses: tuple[str, ...] = ("dnf", "otl")


@register(TYPE, Said("Fixed penalty"), Terms(parameters=FixedParameters, prices_status=True))
def fixed_penalty(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one: given for a status, and rejected (0 ms, with the reason) when the leg already has one."""
    formula = next(iter(applicable(formulas, "", offences.race_class)), None)
    if formula is None or offences.status not in settings_of(formula, FixedParameters).statuses:
        return []
    given = offences.before.leg.get(TYPE, 0)
    words = "fixed penalty of the day"
    priced = Priced(formula, 0, f"{words}: rejected", (ALREADY_GIVEN,)) if given else flat(formula, words)
    return [issue(priced, "", {"stage_status": offences.status, "given_in_leg": given})]
