"""Where an entry stands in a stage or an event (rulebook 6.4)."""

from collections.abc import Iterable
from enum import StrEnum


class Status(StrEnum):
    """Standing of an entry; a `nc` crew rides on outside the rankings."""

    REGISTERED = "registered"
    RUNNING = "running"
    FINISHED = "finished"
    DNF = "dnf"
    DNS = "dns"
    OTL = "otl"
    NC = "nc"
    DSQ = "dsq"


# An official's word of these kinds beats the evidence; the others only repeat what the evidence says.
DECIDED = frozenset({Status.DNF, Status.DNS, Status.OTL, Status.NC, Status.DSQ})

# Heaviest first: one of these in a stage marks the whole event.
_WEIGHT = (Status.DSQ, Status.NC, Status.OTL, Status.DNF, Status.DNS)


def decided(word: str) -> Status | None:
    """The official's word as a status that overrides the evidence, or None when there is none."""
    return Status(word) if word in DECIDED else None


def over_stages(statuses: Iterable[Status]) -> Status:
    """The standing in the event from the standings in its stages."""
    seen = set(statuses)
    heaviest = next((status for status in _WEIGHT if status in seen), None)
    if heaviest is not None:
        return heaviest
    if seen <= {Status.REGISTERED}:
        return Status.REGISTERED
    return Status.FINISHED if seen == {Status.FINISHED} else Status.RUNNING
