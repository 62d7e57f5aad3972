"""Lateness summed over controls against a limit of the stage, the leg or the event (rulebook 4.1, 4.2)."""

import random

import pytest

from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.explain import explain
from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.domain.lateness import late_minutes, on_account
from apps.penalties.domain.memory import remembers
from apps.penalties.domain.registry import Before, Offences, TimeCheck, problems
from apps.penalties.domain.time_control import GPS_ONLY
from apps.penalties.tests.domain.build import MINUTE, hms

# WMWR17 (A): at most 15 minutes late in a stage and 30 in the event; exactly as many is still in.
WMWR17 = [
    Formula("s", "cumulative_lateness", "stage", offence_min=16),
    Formula("e", "cumulative_lateness", "event", offence_min=31),
]
EVENT = WMWR17[1:]


def check(number: int, minutes: int, source: str = "card", **fields: object) -> TimeCheck:
    """The crew's time so many whole minutes after it was due at the control; early below 0."""
    due = hms("10:00:00") + number * 30 * MINUTE
    return TimeCheck("road", f"tc{number}", due, due + minutes * MINUTE, source, **fields)  # type: ignore[arg-type]


def at_controls(*minutes: int, **fields: object) -> tuple[TimeCheck, ...]:
    return tuple(check(n, late, **fields) for n, late in enumerate(minutes))  # type: ignore[arg-type]


def judged(checks: tuple[TimeCheck, ...], rules: list[Formula], **fields: object) -> tuple[Issued, ...]:
    return evaluate(Offences("C-2", checks=checks, **fields), rules)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minutes", "total"),
    [
        ((), 0),
        ((0, 0), 0),
        ((5, 7), 12),
        ((5, -20, 7), 12),  # early arrival wins nothing back
        ((-5,), 0),
    ],
)
def test_lateness_cannot_be_won_back(minutes: tuple[int, ...], total: int) -> None:
    """Under target timing every minute late comes on top (MSUK 9.1a); early arrival does not reduce it (WMWR)."""
    assert late_minutes(at_controls(*minutes)) == total


@pytest.mark.parametrize(("minutes", "total"), [((5, 5, 5), 5), ((5, 3, 8), 8), ((5, -2, 6), 6), ((0, 12, 0), 12)])
def test_by_a_timetable_only_what_is_lost_anew_is_added(minutes: tuple[int, ...], total: int) -> None:
    """Who is five minutes behind the timetable is so at each control that follows."""
    assert late_minutes(at_controls(*minutes, scheduled=True)) == total


def test_what_was_allowed_in_writing_is_no_lateness() -> None:
    assert late_minutes([check(0, 10, allowance_ms=7 * MINUTE), check(1, 2, allowance_ms=7 * MINUTE)]) == 3


def test_a_control_not_visited_adds_nothing() -> None:
    """It is out of time by itself (MSUK 10.1i)."""
    missed = TimeCheck("road", "tc9", hms("12:00:00"), None)
    assert late_minutes([check(0, 4), missed]) == 4


@pytest.mark.parametrize(
    ("minutes", "before", "found"),
    [
        ((7, 8), 0, []),
        ((7, 9), 0, ["stage"]),
        ((7, 8), 15, []),
        ((7, 8), 16, ["event"]),
        ((7, 9), 16, ["event", "stage"]),
        ((0, 0), 99, []),  # a stage that adds nothing is not out of time for another
    ],
)
def test_more_than_the_limit_is_out_of_time(minutes: tuple[int, ...], before: int, found: list[str]) -> None:
    """15 minutes a stage and 30 an event are still in, one more is not."""
    account = Before(event={"late_minutes": before, "late_minutes_gps": before})
    issued = judged(at_controls(*minutes), WMWR17, before=account)
    assert [(p.target, p.status, p.ms) for p in issued] == [(scope, "otl", 0) for scope in found]


def test_the_leg_has_an_account_of_its_own() -> None:
    rules = [Formula("l", "cumulative_lateness", "leg", offence_min=31, params={"status": "dnf"})]
    account = Before(event={"late_minutes": 40}, leg={"late_minutes": 20})
    assert judged(at_controls(11), rules, before=account)[0].inputs["total_minutes"] == 31
    assert judged(at_controls(11), rules, before=account)[0].status == "dnf"
    assert judged(at_controls(10), rules, before=account) == ()


def test_it_may_cost_time_alone() -> None:
    rules = [
        Formula(
            "a", "cumulative_lateness", offence_min=31, offence_max=45, penalty_ms=5 * MINUTE, params={"status": ""}
        ),
        Formula("b", "cumulative_lateness", offence_min=46, penalty_ms=15 * MINUTE),
    ]
    assert [(p.ms // MINUTE, p.status) for p in judged(at_controls(20, 11), rules)] == [(5, "")]
    assert [(p.ms // MINUTE, p.status) for p in judged(at_controls(20, 26), rules)] == [(15, "")]


def test_check_ins_only_gps_saw_are_shown_not_summed() -> None:
    """As at each control (4.1), unless the event says that GPS counts."""
    gps = at_controls(20, 11, source="gps")
    (shown,) = judged(gps, EVENT)
    assert (shown.ms, shown.status, shown.inputs["review"]) == (0, "", [GPS_ONLY])
    counting = Formula("e", "cumulative_lateness", "event", offence_min=31, params={"gps_counts": True})
    assert judged(gps, [counting])[0].status == "otl"
    assert judged((*at_controls(31), check(1, 5, "gps")), EVENT)[0].inputs["total_minutes"] == 31


def test_lateness_that_was_waived_is_not_summed() -> None:
    waived = frozenset({"time_control:road:tc1"})
    assert judged(at_controls(20, 11), EVENT, waived=waived) == ()
    assert on_account(Offences("C-2", checks=at_controls(20, 11), waived=waived), EVENT)["late_minutes"] == 20


def test_a_stage_hands_its_lateness_on_where_a_rule_asks_for_it() -> None:
    checks = (*at_controls(4, 3), check(2, 5, "gps"))
    found = Offences("C-2", checks=checks)
    assert on_account(found, EVENT) == {"late_minutes": 7, "late_minutes_gps": 12}
    assert on_account(found, [Formula("l", "time_control", "late")]) == {}
    assert on_account(Offences("C-2"), EVENT) == {}
    assert all(map(remembers, EVENT)), "a change in one stage scores the later ones again"


def test_an_unknown_scope_is_refused() -> None:
    assert [field for field, _reason in problems(Formula("x", "cumulative_lateness", "week"))] == ["target"]


@pytest.mark.parametrize("seed", range(20))
def test_the_account_stage_by_stage_comes_to_the_sum_of_all_of_them(seed: int) -> None:
    """However the controls are cut into stages, the event is out of time at the same one."""
    rng = random.Random(seed)
    minutes = [rng.randint(-10, 12) for _ in range(12)]
    account, out = 0, None
    stages: list[list[int]] = []
    left = minutes
    while left:
        size = rng.randint(1, 4)
        stages, left = [*stages, left[:size]], left[size:]
    for number, stage in enumerate(stages):
        before = Before(event={"late_minutes": account, "late_minutes_gps": account})
        found = Offences("C-2", checks=at_controls(*stage), before=before)
        if out is None and evaluate(found, EVENT):
            out = number
        account += on_account(found, EVENT).get("late_minutes", 0)
    sums = [sum(max(0, m) for of in stages[: n + 1] for m in of) for n in range(len(stages))]
    assert account == sums[-1], f"seed {seed}"
    assert out == next((n for n, total in enumerate(sums) if total > 30), None), f"seed {seed}"


def test_it_is_read_out() -> None:
    account = Before(event={"late_minutes": 20})
    text = explain(judged(at_controls(6, 5), EVENT, before=account)[0])
    assert text.startswith(
        "Lateness in all: the crew was 31 min late at the time controls of the event together, 11 min of it here. "
        "No time penalty; the stage counts as out of time."
    )
    assert "earlier 20 min" in text
