"""Statuses: decisions over evidence, stages to event (rulebook 6.4)."""

import pytest

from apps.scoring.domain.status import Status, contradiction, decide, over_stages


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
