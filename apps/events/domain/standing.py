"""How an entry's standing in an event may change (rulebook 6.4): each step is one that somebody answers for."""

from collections.abc import Iterable, Mapping

from apps.common.said import Listed, Said, listed

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
            raise ValueError(Said("Status %(status)s is none of %(known)s.", status=repr(word), known=_listed(table)))
    if new != old and new not in table[old]:
        text = Said("An entry that is %(old)s cannot become %(new)s, only %(allowed)s.")
        raise ValueError(Said(text.template, old=_named(old), new=_named(new), allowed=_listed(table[old])))


def _listed(words: Iterable[str]) -> Listed:
    return listed(sorted(map(_named, words)))


def _named(word: str) -> Said:
    return Said(word) if word else Said("without a word")
