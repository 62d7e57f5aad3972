"""False starts, raised by a marshal or a detector: GPS is too coarse to prove one (rulebook 5.1)."""

from collections.abc import Sequence

from apps.common.said import Said
from apps.penalties.domain.formulas import Formula, Issued, applicable
from apps.penalties.domain.occurrences import OccurrenceParameters, numbered, occurrence
from apps.penalties.domain.registry import Offences, Terms, register

TYPE = "false_start"


@register(
    TYPE, Said("False start"), Terms(Said("number of the false start in the event"), parameters=OccurrenceParameters)
)
def false_start(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """One penalty per false start, by its number in the event; beyond the table the clerk of the course decides."""
    table = applicable(formulas, "", offences.race_class)
    mine = [incident for incident in offences.incidents if incident.kind == TYPE]
    waived = offences.waived_targets(TYPE)
    found = (occurrence(table, incident, number) for incident, number in numbered(mine, offences.before.event, waived))
    return [issued for issued in found if issued is not None]
