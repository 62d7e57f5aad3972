"""Statuses: decisions over evidence, stages to event (rulebook 6.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.events.domain.standing import ENTRY_TRANSITIONS, Transitions, check_transition
from apps.scoring.domain.status import (
    DECIDED,
    GONE,
    STAGE_TRANSITIONS,
    Status,
    contradiction,
    decide,
    over_stages,
)


@pytest.mark.parametrize(
    ("word", "evident", "status"),
    [
        ("", "running", "running"),
        ("running", "finished", "finished"),
        ("dsq", "finished", "dsq"),
        ("nc", "registered", "nc"),
        ("dnf", "finished", "dnf"),
        ("retired", "finished", "finished"),
        ("retired", "running", "dnf"),
        ("withdrawn", "registered", "dns"),
        ("accepted", "registered", "registered"),
    ],
)
def test_decide(word: str, evident: str, status: str) -> None:
    """A decision on the stage overrides; a word about the event does not undo a finished stage."""
    assert decide(word, Status(evident)) == status


@pytest.mark.parametrize(
    ("decided", "evident", "contradicts"),
    [
        ("dns", "running", True),
        ("dns", "registered", False),
        ("dnf", "finished", True),
        ("otl", "finished", True),
        ("dnf", "running", False),
        ("dsq", "finished", False),
        ("finished", "finished", False),
    ],
)
def test_contradiction(decided: str, evident: str, contradicts: bool) -> None:
    """What the evidence denies is told; the decision stands all the same."""
    assert bool(contradiction(Status(decided), Status(evident))) is contradicts


@pytest.mark.parametrize(
    ("stages", "event"),
    [
        ([], "registered"),
        (["registered", "registered"], "registered"),
        (["finished", "registered"], "running"),
        (["finished", "finished"], "finished"),
        (["finished", "dnf", "running"], "dnf"),
        (["dnf", "dsq"], "dsq"),
    ],
)
def test_over_stages(stages: list[str], event: str) -> None:
    """The heaviest standing of any stage marks the event."""
    assert over_stages(Status(status) for status in stages) == event


@pytest.mark.parametrize(
    ("word", "evident", "moved_after", "sentence"),
    [
        ("withdrawn", "running", False, "withdrawn, but the evidence shows running"),
        ("withdrawn", "finished", False, "withdrawn, but the evidence shows finished"),
        ("withdrawn", "registered", False, ""),
        ("retired", "running", True, "retired, but the evidence shows a control crossed after that"),
        ("retired", "running", False, ""),
        ("retired", "finished", False, ""),
        ("finished", "running", False, "said to have finished, but the evidence shows running"),
        ("finished", "registered", False, "said to have finished, but the evidence shows registered"),
        ("finished", "finished", False, ""),
        ("dsq", "running", True, ""),
        ("nc", "finished", True, ""),
    ],
)
def test_a_word_about_the_event_and_the_evidence_of_a_stage(
    word: str, evident: str, moved_after: bool, sentence: str
) -> None:
    """Who is gone drives no more, and who has finished the event has finished its stages."""
    seen = Status(evident)
    assert contradiction(decide(word, seen), seen, word, moved_after=moved_after) == sentence


def test_a_lump_explains_a_stage_the_finisher_did_not_finish() -> None:
    """6.4: a finisher may have a dnf stage behind it."""
    assert contradiction(Status.DNF, Status.RUNNING, "finished") == ""


EVIDENT = st.sampled_from([Status.REGISTERED, Status.RUNNING, Status.FINISHED])
WORDS = st.sampled_from(["", *DECIDED, *ENTRY_TRANSITIONS])


@given(WORDS, EVIDENT)
def test_evidence_never_contradicts_itself(word: str, evident: Status) -> None:
    """What nobody decided against is no conflict: without a word, and where the word says what the evidence says."""
    assert contradiction(evident, evident) == ""
    decided = decide(word, evident)
    told = contradiction(decided, evident, word)
    if told:
        assert decided is not evident or word in {*GONE, "finished"}
        assert word in told or f"decided {decided.value}" in told or word == "finished"


@given(EVIDENT, st.booleans())
def test_the_disqualified_may_have_driven_as_they_like(evident: Status, moved_after: bool) -> None:
    for word in ("dsq", "nc"):
        assert contradiction(Status(word), evident, word, moved_after=moved_after) == ""


@given(EVIDENT)
def test_driving_denies_dns(evident: Status) -> None:
    assert bool(contradiction(Status.DNS, evident)) is (evident is not Status.REGISTERED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("registered", "accepted"),
        ("accepted", "started"),
        ("accepted", "withdrawn"),
        ("started", "retired"),
        ("started", "finished"),
        ("started", "nc"),
        ("finished", "dsq"),
        ("retired", "started"),
        ("dsq", "started"),
        ("nc", "nc"),
    ],
)
def test_an_entry_may_become(old: str, new: str) -> None:
    check_transition(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("registered", "finished"),
        ("registered", "started"),
        ("withdrawn", "started"),
        ("started", "withdrawn"),
        ("retired", "finished"),
        ("dsq", "nc"),
        ("finished", "retired"),
    ],
)
def test_an_entry_may_not_become(old: str, new: str) -> None:
    """Each would skip a step somebody answers for."""
    with pytest.raises(ValueError, match=f"that is {old} cannot become {new}, only "):
        check_transition(old, new)


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("", "dns", True),
        ("dns", "dnf", True),
        ("dnf", "", True),
        ("otl", "dsq", True),
        ("nc", "dsq", True),
        ("nc", "dnf", False),
        ("dsq", "", True),
        ("dsq", "dnf", False),
    ],
)
def test_words_on_a_stage(old: str, new: str, allowed: bool) -> None:
    """A disqualification is lifted by revoking it, not by another word."""
    if allowed:
        check_transition(old, new, STAGE_TRANSITIONS)
        return
    with pytest.raises(ValueError, match=f"that is {old} cannot become {new}, only .*without a word"):
        check_transition(old, new, STAGE_TRANSITIONS)


def test_an_unknown_status_is_named() -> None:
    with pytest.raises(ValueError, match="Status 'running' is none of accepted, dsq, finished"):
        check_transition("started", "running")


@pytest.mark.parametrize(("table", "first"), [(ENTRY_TRANSITIONS, "registered"), (STAGE_TRANSITIONS, "")])
def test_every_status_can_be_reached_and_left(table: Transitions, first: str) -> None:
    """No standing is a trap an official cannot correct, and none stands in a table for nothing."""
    reached = {first}
    for _ in table:
        reached |= {new for old in reached for new in table[old]}
    assert reached == set(table)
    assert all(table.values())


def test_every_word_a_decision_may_say_has_transitions() -> None:
    assert set(STAGE_TRANSITIONS) == {"", *DECIDED}
