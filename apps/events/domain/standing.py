"""How an entry's standing in an event may change (rulebook 6.4): each step is one that somebody answers for."""

from collections.abc import Iterable, Mapping

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
