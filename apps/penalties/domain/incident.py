"""Manual penalties with a counter: GPS unlock codes, road offences, whatever officials report (rulebook 2.3, 3.4)."""

from collections.abc import Sequence

from apps.common.said import Said
from apps.penalties.domain import false_start
from apps.penalties.domain.formulas import Formula, Issued, applicable
from apps.penalties.domain.occurrences import OccurrenceParameters, numbered, occurrence
from apps.penalties.domain.registry import Offences, Terms, register

TYPE = "incident"


@register(
    TYPE,
    Said("Reported incident"),
    Terms(
        Said("number of the incident of its kind in the event"),
        targets="kind of incident",
        parameters=OccurrenceParameters,
    ),
)
def incident(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """One penalty per incident whose kind a formula names, by its number of that kind in the event."""
    mine = [one for one in offences.incidents if one.kind != false_start.TYPE]
    found = (
        occurrence(applicable(formulas, one.kind, offences.race_class), one, number)
        for one, number in numbered(mine, offences.before.event, offences.waived_targets(TYPE))
    )
    return [issued for issued in found if issued is not None]
