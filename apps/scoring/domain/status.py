"""Where an entry stands in a stage or an event, and how that may change (rulebook 6.4)."""

from collections.abc import Iterable
from enum import StrEnum

from apps.events.domain.standing import Transitions


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
GONE = frozenset({"retired", "withdrawn"})

# Heaviest first: one of these in a stage marks the whole event.
_WEIGHT = (Status.DSQ, Status.NC, Status.OTL, Status.DNF, Status.DNS)


def decide(word: str, evident: Status) -> Status:
    """The status in a stage from an official's word ("" when none) and from what the evidence shows."""
    if word in DECIDED:
        return Status(word)
    if word in GONE and evident is not Status.FINISHED:
        return Status.DNS if evident is Status.REGISTERED else Status.DNF
    return evident


def entailed(decided: Status, statuses: Iterable[str]) -> Status:
    """The status with what penalties make of it: the heaviest counts, and no penalty lifts a decision."""
    found = {decided, *(Status(status) for status in statuses if status)}
    return next((status for status in _WEIGHT if status in found), decided)


def over_stages(statuses: Iterable[Status]) -> Status:
    """The standing in the event from the standings in its stages."""
    seen = set(statuses)
    heaviest = next((status for status in _WEIGHT if status in seen), None)
    if heaviest is not None:
        return heaviest
    if seen <= {Status.REGISTERED}:
        return Status.REGISTERED
    return Status.FINISHED if seen == {Status.FINISHED} else Status.RUNNING


def contradiction(decided: Status, evident: Status, word: str = "", *, moved_after: bool = False) -> str:
    """A sentence when what was decided says what the evidence denies, else "".

    `decided` and `evident` are of one stage, `word` of the whole event; `moved_after`: a control was crossed after
    that word was given. Who is disqualified or not classified may have driven as it likes.
    """
    if word == "withdrawn" and evident is not Status.REGISTERED:
        return f"withdrawn, but the evidence shows {evident.value}"
    if word == "retired" and moved_after:
        return "retired, but the evidence shows a control crossed after that"
    if word == "finished" and decided in (Status.REGISTERED, Status.RUNNING):
        return f"said to have finished, but the evidence shows {decided.value}"
    if decided is Status.DNS and evident is not Status.REGISTERED:
        return f"decided dns, but the evidence shows {evident.value}"
    if decided in (Status.DNF, Status.OTL) and evident is Status.FINISHED:
        return f"decided {decided.value}, but the evidence shows finished"
    return ""


# An official's word on a stage, "" when none. Lifting one means revoking its decision, so that the reason stays
# readable: only dns, dnf and otl correct one another.
STAGE_TRANSITIONS: Transitions = {
    "": frozenset({"dns", "dnf", "otl", "nc", "dsq"}),
    "dns": frozenset({"", "dnf", "otl", "nc", "dsq"}),
    "dnf": frozenset({"", "dns", "otl", "nc", "dsq"}),
    "otl": frozenset({"", "dns", "dnf", "nc", "dsq"}),
    "nc": frozenset({"", "dsq"}),
    "dsq": frozenset({""}),
}
