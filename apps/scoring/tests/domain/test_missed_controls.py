"""A time control that was not visited is priced, also where the entry has no finish (rulebook 4.2)."""

import pytest

from apps.course.domain.crossings import Crossing
from apps.penalties.domain.decisions import Decision, overlay
from apps.penalties.domain.formulas import Formula
from apps.scoring.domain.outcome import StageOutcome
from apps.scoring.domain.readings import Evidence
from apps.scoring.domain.stage import score_stage
from apps.timing.domain.marks import Mark, Source
from apps.timing.domain.plan import SegmentPlan, SegmentType
from apps.timing.tests.domain.build import at, cut, gate, special, stage, steady

MINUTE = 60_000
OUT, IN = (
    SegmentPlan(name, SegmentType.LIAISON, order, gate(begin), gate(end), target_ms=10 * MINUTE)
    for name, order, begin, end in (("out", 0, "tc0", "tc1"), ("in", 2, "finish", "tc2"))
)
PLAN = stage(OUT, special(), IN)
RULES = [
    Formula("o", "time_control", "otl", penalty_ms=30 * MINUTE, params={"status": "", "gps_counts": True}),
    Formula("d", "dnf_lump", penalty_ms=180 * MINUTE),
]
TO_START, SPECIAL = [cut("tc0", 0), cut("tc1", 600)], [cut("start", 700), cut("finish", 1900)]


def score(crossings: list[Crossing], **fields: object) -> StageOutcome:
    return score_stage(PLAN, RULES, Evidence("e", "C-2", tuple(crossings), steady([]), **fields))  # type: ignore[arg-type]


def missed(outcome: StageOutcome) -> list[str]:
    found = [p for p in outcome.penalties if p.type == "time_control"]
    assert all((p.ms, p.inputs["case"]) == (30 * MINUTE, "missed") for p in found)
    return [p.target for p in found]


@pytest.mark.parametrize(
    ("crossings", "controls"),
    [
        ([*TO_START, *SPECIAL, cut("tc2", 2400)], []),
        ([TO_START[0], *SPECIAL, cut("tc2", 2400)], ["out:tc1"]),  # drove past it into the special stage
        ([TO_START[0]], []),  # still on its way
        ([*TO_START, *SPECIAL], []),  # tc2 is still ahead
    ],
)
def test_a_control_is_missed_once_the_crew_is_seen_further_on(crossings: list[Crossing], controls: list[str]) -> None:
    assert missed(score(crossings)) == controls


def test_an_entry_that_drives_no_further_has_missed_the_control_it_was_on_its_way_to() -> None:
    """Not finished by decision: the lump, and the control of the section it had begun; not those beyond."""
    ended = overlay([Decision("d", 1, "set_status", {"status": "dnf"}, entry="e", stage="stage")])
    assert missed(score([TO_START[0]], overlay=ended)) == ["out:tc1"]
    outcome = score([*TO_START, *SPECIAL], overlay=ended)
    assert missed(outcome) == ["in:tc2"]
    assert (outcome.status, outcome.total_ms) == ("dnf", 210 * MINUTE)
    assert missed(score([*TO_START, SPECIAL[0]], overlay=ended)) == []


def test_who_has_left_the_event_is_not_priced_any_more() -> None:
    assert score([TO_START[0]], status="retired").penalties == ()


def test_a_card_shows_that_the_control_was_visited() -> None:
    """GPS did not see it: the marshal's record does, and where it comes late the penalty goes."""
    record = (Mark("m", "tc1", at(600), Source.CARD),)
    assert missed(score([TO_START[0], *SPECIAL], marks=record)) == []


def test_a_delay_allowance_on_the_road() -> None:
    """4.1: time given back on a road section frees from lateness there, and from its maximum."""
    late = [cut("tc0", 0), cut("tc1", 900), *SPECIAL]
    rules = [Formula("l", "time_control", "late", penalty_ms=10_000, mode="marginal", params={"gps_counts": True})]
    allowed = overlay([Decision("d", 1, "time_credit", {"segment": "out", "ms": 3 * MINUTE}, entry="e", stage="stage")])
    for told, seconds in ((overlay([]), 50), (allowed, 20)):
        outcome = score_stage(PLAN, rules, Evidence("e", "C-2", tuple(late), steady([]), overlay=told))
        assert outcome.penalty_ms == seconds * 1000
