"""Notional times of an interrupted stage (rulebook 8.3): worked example 10."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.timing.domain.interruption import Drive, Interruption, Proposal, Seeding, proposals

RED = 10_000_000
GREEN = RED + 1_800_000


def ms(text: str) -> int:
    """Milliseconds of mm:ss."""
    minutes, seconds = map(int, text.split(":"))
    return (minutes * 60 + seconds) * 1000


# Finished before the red signal, not in the order of their times.
BEFORE = [
    Drive(entry, RED - 60_000 * n, ms(time))
    for n, (entry, time) in enumerate(
        [("C", "18:55"), ("A", "18:40"), ("E", "19:30"), ("D", "19:10"), ("B", "18:52"), ("F", "20:00")], start=1
    )
]
X = Drive("X", GREEN + 3_000_000, ms("24:05"))
STOP = Interruption(RED, ("Y", "Z"), frozenset({"X"}), Seeding.REVERSE, GREEN)


def times(found: tuple[Proposal, ...]) -> dict[str, int | None]:
    return {proposal.entry: proposal.time_ms for proposal in found}


def test_worked_example_10_the_fastest_before_the_signal_and_the_cause_its_own() -> None:
    found = proposals(STOP, [*BEFORE, X])
    assert times(found) == {"Y": ms("18:40"), "Z": ms("18:40"), "X": ms("24:05")}
    assert [proposal.article for proposal in found] == ["4.37", "4.37", "4.36"]


@pytest.mark.parametrize(("anomalous", "time"), [("A", "18:52"), ("AB", "18:55"), ("ABC", "19:10"), ("ABCD", "19:30")])
def test_worked_example_10_an_anomaly_gives_the_next_fastest(anomalous: str, time: str) -> None:
    found = proposals(replace(STOP, anomalous=frozenset(anomalous)), BEFORE)
    assert times(found)["Y"] == ms(time)
    assert f"the {len(anomalous)} before it set aside" in found[0].reason


def test_worked_example_10_never_beyond_the_fifth() -> None:
    """F with 20:00 is the sixth."""
    (proposal, *_) = proposals(replace(STOP, anomalous=frozenset("ABCDE")), BEFORE)
    assert (proposal.time_ms, proposal.reason) == (None, "all times to choose from are set aside")
    assert [drive.entry for drive in proposal.choices] == list("ABCDE")


def test_worked_example_10_nobody_had_finished() -> None:
    """The first to finish after the restart, not the fastest; neither who was shown red, nor the cause."""
    after = [
        Drive("Z", GREEN + 1_300_000, ms("19:00")),
        Drive("X", GREEN + 1_600_000, ms("24:05")),
        Drive("early", GREEN + 600_000, ms("19:00")),
        Drive("P", GREEN + 2_000_000, ms("20:12")),
        Drive("Q", GREEN + 2_100_000, ms("18:00")),
    ]
    found = proposals(STOP, after)
    assert times(found) == {"Y": ms("20:12"), "Z": ms("20:12"), "X": ms("24:05")}
    assert found[0].article == "4.38"
    assert times(proposals(replace(STOP, anomalous=frozenset("P")), after))["Y"] == ms("18:00")


@pytest.mark.parametrize("green_ts", [None, GREEN])
def test_there_may_be_nothing_to_propose_yet(green_ts: int | None) -> None:
    found = proposals(replace(STOP, green_ts=green_ts), [])
    assert times(found) == {"Y": None, "Z": None, "X": None}
    assert found[0].reason == "nobody has finished yet after the restart"
    assert found[2].reason == "caused the stop and has no time of its own"


def test_for_other_orders_of_starting_no_rule_is_claimed() -> None:
    """8.3: officials choose, the system proposes."""
    (proposal, *_) = proposals(replace(STOP, seeding=Seeding.FASTEST_FIRST), BEFORE)
    assert (proposal.time_ms, proposal.article) == (ms("18:40"), "")
    assert "officials choose" in proposal.reason


def test_a_finish_at_the_instant_of_the_signal_is_before_it() -> None:
    found = proposals(STOP, [Drive("A", RED, 1000), Drive("B", RED + 1, 500)])
    assert times(found)["Y"] == 1000


@given(st.permutations(BEFORE), st.sets(st.sampled_from("ABCDEF")))
def test_setting_times_aside_never_makes_the_proposal_faster(order: list[Drive], aside: set[str]) -> None:
    """Nor does the order in which the times are known matter."""
    fewer, all_ = proposals(replace(STOP, anomalous=frozenset(aside)), order), proposals(STOP, BEFORE)
    if fewer[0].time_ms is not None:
        assert fewer[0].time_ms >= (all_[0].time_ms or 0)
        assert fewer[0].time_ms in {drive.time_ms for drive in fewer[0].choices if drive.entry not in aside}


def test_a_cause_that_was_shown_red_gets_its_own_time_once() -> None:
    found = proposals(replace(STOP, shown_red=("Y", "X")), [*BEFORE, X])
    assert [(proposal.entry, proposal.time_ms) for proposal in found] == [("Y", ms("18:40")), ("X", ms("24:05"))]
