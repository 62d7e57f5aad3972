"""Reported incidents priced by how often they have happened in the event (rulebook 2.3, 5.1, 3.4)."""

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from apps.penalties.domain.brackets import Priced, Table, issue
from apps.penalties.domain.formulas import Issued, bracket, clock
from apps.penalties.domain.registry import Incident, settings_of

BEYOND = "no bracket for this occurrence: the clerk of the course decides"


@dataclass(frozen=True, slots=True)
class OccurrenceParameters:
    """Settings of one row: of the occurrences it holds.

    `add_value` adds what the report measured (the time gained). `status` is what the occurrence makes of the stage.
    `fine` is told, not computed.
    """

    add_value: bool = False
    status: Literal["", "dnf", "otl", "nc", "dsq"] = ""
    fine: str = ""


def numbered(
    incidents: Sequence[Incident], before: Mapping[str, int], waived: Container[str] = ()
) -> Iterator[tuple[Incident, int]]:
    """Each incident in order of time with its number of its kind over the event, from 1.

    One whose id is `waived` gives its number to the next.
    """
    counts = Counter(before)
    for incident in sorted(incidents, key=lambda one: (one.ts, one.id)):
        yield incident, counts[incident.kind] + 1
        counts[incident.kind] += incident.id not in waived


def occurrence(table: Table, incident: Incident, number: int) -> Issued | None:
    """The penalty of the n-th incident of a kind, counted as that kind; None below the lowest bracket."""
    if not table or number < table[0].offence_min:
        return None
    row = bracket(table, number)
    inputs = _inputs(incident, number)
    if row is None:
        beyond = Priced(table[0], 0, f"occurrence {number}", (BEYOND,))
        return replace(issue(beyond, incident.id, inputs), counter=incident.kind)
    settings = settings_of(row, OccurrenceParameters)
    added = max(0, incident.value_ms) if settings.add_value else 0
    priced = Priced(row, row.penalty_ms + added, _words(number, row.penalty_ms, added))
    issued = issue(priced, incident.id, inputs | ({"fine": settings.fine} if settings.fine else {}))
    return replace(issued, counter=incident.kind, status=settings.status)


def _words(number: int, value: int, added: int) -> str:
    told = f"occurrence {number}: {clock(value)}"
    return f"{told} + {clock(added)} = {clock(value + added)}" if added else told


def _inputs(incident: Incident, number: int) -> dict[str, Any]:
    return {
        "incident": incident.id,
        "kind": incident.kind,
        "reported_ts": incident.ts,
        "value_ms": incident.value_ms,
        "note": incident.note,
        "count": number,
    }
