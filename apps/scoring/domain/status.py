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

# Not finished or not started: what a lump may stand for (6.4).
LUMPED = frozenset({Status.DNF, Status.DNS, Status.OTL})

# Words about the whole event: they do not undo a stage that was finished (6.4).
_GONE = frozenset({"retired", "withdrawn"})

# Heaviest first: one of these in a stage marks the whole event.
_WEIGHT = (Status.DSQ, Status.NC, Status.OTL, Status.DNF, Status.DNS)


def decide(word: str, evident: Status) -> Status:
    """The status in a stage from an official's word ("" when none) and from what the evidence shows."""
    if word in DECIDED:
        return Status(word)
    if word in _GONE and evident is not Status.FINISHED:
        return Status.DNS if evident is Status.REGISTERED else Status.DNF
    return evident


def entailed(decided: Status, statuses: Iterable[str]) -> Status:
    """The status with what penalties make of it: the heaviest counts, and no penalty lifts a decision."""
    found = {decided, *(Status(status) for status in statuses if status)}
    return next((status for status in _WEIGHT if status in found), decided)


def contradiction(decided: Status, evident: Status) -> str:
    """A sentence when a decision says what the evidence denies, else ""."""
    if decided is Status.DNS and evident is not Status.REGISTERED:
        return f"decided dns, but the evidence shows {evident.value}"
    if decided in (Status.DNF, Status.OTL) and evident is Status.FINISHED:
        return f"decided {decided.value}, but the evidence shows finished"
    return ""


def over_stages(statuses: Iterable[Status]) -> Status:
    """The standing in the event from the standings in its stages."""
    seen = set(statuses)
    heaviest = next((status for status in _WEIGHT if status in seen), None)
    if heaviest is not None:
        return heaviest
    if seen <= {Status.REGISTERED}:
        return Status.REGISTERED
    return Status.FINISHED if seen == {Status.FINISHED} else Status.RUNNING
