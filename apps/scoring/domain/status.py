"""Where an entry stands in a stage or an event, and how that may change (rulebook 6.4)."""

from collections.abc import Iterable, Mapping
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


Transitions = Mapping[str, frozenset[str]]

# An entry's word for the whole event. The way back is there for what officials correct or lift.
ENTRY_TRANSITIONS: Transitions = {
    "registered": frozenset({"accepted", "withdrawn"}),
    "accepted": frozenset({"registered", "withdrawn", "started", "dsq"}),
    "withdrawn": frozenset({"registered", "accepted"}),
    "started": frozenset({"accepted", "finished", "retired", "nc", "dsq"}),
    "finished": frozenset({"started", "nc", "dsq"}),
    "retired": frozenset({"started", "dsq"}),
    "nc": frozenset({"started", "retired", "dsq"}),
    "dsq": frozenset({"accepted", "started", "finished"}),
}

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


def check_transition(old: str, new: str, table: Transitions = ENTRY_TRANSITIONS) -> None:
    """Raise ValueError, a sentence, unless a standing may become the other; no change is always allowed."""
    for word in (old, new):
        if word not in table:
            raise ValueError(f"Status {word!r} is none of {_listed(table)}.")
    if new != old and new not in table[old]:
        raise ValueError(f"An entry that is {_named(old)} cannot become {_named(new)}, only {_listed(table[old])}.")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(map(_named, words)))


def _named(word: str) -> str:
    return word or "without a word"
