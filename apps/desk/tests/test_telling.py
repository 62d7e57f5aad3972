"""What the scorer says reaches officials in their language: no sentence of it goes by untold."""

import pytest

from apps.desk import telling
from apps.scoring.domain.status import Status, contradiction


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("GPS crossing uncertain by 2.5 s", "The GPS time is uncertain by 2.5 s."),
        ("beam differs by +3 s", "beam differs by +3 s."),
        ("GPS differs by -1.2 s", "GPS differs by -1.2 s."),
        ("tracker 2 differs by +5 s", "Tracker 2 differs by +5 s."),
        ("card record is questionable: no reason given", "card: in question, no reason given."),
        ("s1: no assigned start", "SS 1: it has no assigned start."),
        ("s1: driven, but its start was not crossed", "SS 1: it was driven, but its start was not crossed."),
        ("decision on missed_waypoint:w1, which is not issued any more",
         "A decision is about a penalty that is not issued any more: missed_waypoint:WPM 3."),
        ("something new about s1", "something new about SS 1"),
    ],
)  # fmt: skip
def test_a_sentence_is_told_with_names(said: str, told: str) -> None:
    assert telling.told(said, {"s1": "SS 1", "w1": "WPM 3"}) == told


@pytest.mark.parametrize("word", ["", "withdrawn", "finished", "retired"])
@pytest.mark.parametrize("decided", list(Status))
@pytest.mark.parametrize("evident", [Status.REGISTERED, Status.RUNNING, Status.FINISHED])
def test_every_contradiction_the_domain_can_say_is_known_here(decided: Status, evident: Status, word: str) -> None:
    said = contradiction(decided, evident, word, moved_after=True)
    assert not said or telling.told(said, {}) != said
