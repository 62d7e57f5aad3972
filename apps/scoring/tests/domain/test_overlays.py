"""Where decisions, statuses and rules meet in one stage (rulebook 5.4, 6.4, 8.3)."""

from collections.abc import Sequence

import pytest

from apps.course.domain.crossings import Crossing
from apps.penalties.domain.decisions import Decision, Overlay, overlay
from apps.penalties.domain.formulas import Formula
from apps.penalties.domain.registry import Before, Incident
from apps.scoring.domain.outcome import StageOutcome
from apps.scoring.domain.readings import Evidence
from apps.scoring.domain.stage import score_stage
from apps.scoring.domain.status import Status
from apps.timing.domain.plan import SegmentPlan, SegmentType
from apps.timing.tests.domain.build import at, cut, gate, special, stage, steady

MINUTE = 60_000
PLAN = stage(special(maximum_ms=10 * MINUTE))
IN_TIME = (cut("start", 0), cut("finish", 500))
TOO_SLOW = (cut("start", 0), cut("finish", 3000))
OUT_OF_TIME = Formula("max", "maximum_time", "special")
NO_START = Formula("dns", "dns_lump", penalty_ms=120 * MINUTE, params={"allowed": 2})


def score(crossings: Sequence[Crossing], rules: Sequence[Formula], told: Overlay, **changes: object) -> StageOutcome:
    fields = {"entry": "e", "race_class": "C-2", "crossings": tuple(crossings), "fixes": steady([]), "overlay": told}
    return score_stage(PLAN, rules, Evidence(**(fields | changes)))  # type: ignore[arg-type]


def decided(kind: str, **params: object) -> Overlay:
    return overlay([Decision("d", 1, kind, params, entry="e", stage="stage")])


def test_a_neutralisation_without_its_dn_asks_for_a_look() -> None:
    """8.1: no DN, no countdown: nothing is priced, and somebody is told."""
    part = SegmentPlan("n", SegmentType.NEUTRALISATION, 2, gate("dn"), gate("fn"), neutral_ms=MINUTE)
    plan = stage(special(neutral_ms=MINUTE), part)
    rules = [Formula("n", "neutralisation", offence_min=1, penalty_ms=1000, mode="marginal")]
    for crossings, told in (
        ((cut("start", 0), cut("fn", 90), cut("finish", 500)), ("n: driven, but its start was not crossed",)),
        ((cut("start", 0), cut("dn", 20), cut("fn", 90), cut("finish", 500)), ()),
    ):
        outcome = score_stage(plan, rules, Evidence("e", "C-2", crossings, steady([])))
        assert (outcome.total_ms, outcome.conflicts) == (440_000, told)


def test_a_notional_time_is_not_held_against_the_maximum() -> None:
    """8.3: who stood at the red signal for an hour and is given a time is neither out of time nor over."""
    assert score(TOO_SLOW, [OUT_OF_TIME], Overlay()).status is Status.OTL
    given = score(TOO_SLOW, [OUT_OF_TIME], decided("notional_time", segment="ss", ms=8 * MINUTE))
    assert (given.status, given.total_ms, given.penalties, given.conflicts) == (Status.FINISHED, 8 * MINUTE, (), ())


@pytest.mark.parametrize("rules", [[NO_START], []])
def test_a_stage_not_started_is_one_on_the_account(rules: list[Formula]) -> None:
    """6.4: with or without a lump, so that `allowed` means what it says."""
    assert score([], rules, decided("set_status", status="dns")).counts["dns"] == 1


def test_two_stages_not_started_where_two_are_allowed() -> None:
    told = decided("set_status", status="dns")
    first = score([], [NO_START], told)
    for earlier, status in ((first.counts, Status.DNS), ({"dns": 2 * first.counts["dns"]}, Status.NC)):
        assert score([], [NO_START], told, before=Before(event=earlier)).status is status


def test_waiving_the_first_of_two_false_starts_makes_the_second_the_first() -> None:
    """As it does for those of later stages, whose account counts what was not waived."""
    rules = [
        Formula("1", "false_start", offence_max=1, penalty_ms=10_000),
        Formula("2", "false_start", offence_min=2, penalty_ms=MINUTE),
    ]
    starts = tuple(Incident(name, "false_start", at(n)) for n, name in enumerate("ab"))
    outcome = score(IN_TIME, rules, decided("waive_penalty", key="false_start:a"), incidents=starts)
    assert (outcome.penalty_ms, outcome.counts) == (10_000, {"false_start": 1, "started": 1})


def test_an_openers_bonus_given_twice_counts_once() -> None:
    """7.3: 2023 it was counted twice in a provisional sheet; the later decision replaces the earlier one."""
    params = {"segment": "ss", "metres": 100_000, "ms_per_km": 1500}
    told = overlay([Decision(str(n), n, "opener_bonus", params, entry="e", stage="stage") for n in (1, 2)])
    plain = score(IN_TIME, [], Overlay())
    assert plain.time_ms is not None
    assert score(IN_TIME, [], told).time_ms == plain.time_ms - 150_000


@pytest.mark.parametrize(("entry", "status"), [("e", Status.FINISHED), ("", Status.REGISTERED)])
def test_a_notional_time_for_all_makes_no_finisher_of_who_never_came(entry: str, status: Status) -> None:
    """8.3: it is for the crews that were stopped; one that is named has it whatever was seen of it."""
    decision = Decision("d", 1, "notional_time", {"segment": "ss", "ms": 8 * MINUTE}, entry=entry, stage="stage")
    assert score([], [], overlay([decision])).status is status
    started = score(IN_TIME[:1], [], overlay([decision]))
    assert (started.status, started.total_ms) == (Status.FINISHED, 8 * MINUTE)
