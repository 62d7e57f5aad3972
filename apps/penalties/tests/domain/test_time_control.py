"""Time controls (rulebook 4.1, 4.2, worked example 1)."""

import pytest

from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.domain.registry import Offences, TimeCheck
from apps.penalties.domain.time_control import GPS_ONLY, UNPRICED
from apps.penalties.tests.domain.build import MINUTE, hms

LIMIT = {"max_late_minutes": 30}
EARLY = Formula("e", "time_control", "early", penalty_ms=MINUTE, mode="marginal", params=LIMIT)
LATE = Formula("l", "time_control", "late", penalty_ms=10_000, mode="marginal")
MSUK = [EARLY, LATE]


def checked(card: str, formulas: list[Formula], source: str = "card") -> tuple[Issued, ...]:
    """A crew due at 10:12 (TC1 09:27 + 45 min) whose card was taken at this time."""
    recorded = hms(card) // MINUTE * MINUTE
    check = TimeCheck("liaison", "tc2", hms("09:27:00") + 45 * MINUTE, recorded, source)
    return evaluate(Offences("C-2", checks=(check,)), formulas)


@pytest.mark.parametrize(
    ("card", "seconds", "status"),
    [
        ("10:10:59", 120, ""),
        ("10:15:40", 30, ""),
        ("10:42:59", 300, ""),
        ("10:43:00", 0, "otl"),
    ],
)
def test_worked_example_1_early_late_and_out_of_time(card: str, seconds: int, status: str) -> None:
    """Exactly 30 minutes is still in, one more is not."""
    (penalty,) = checked(card, MSUK)
    assert (penalty.ms, penalty.status) == (seconds * 1000, status)


@pytest.mark.parametrize("card", ["10:12:00", "10:12:59"])
def test_worked_example_1_the_ideal_minute_is_free(card: str) -> None:
    """Any instant of the minute is on time."""
    assert checked(card, MSUK) == ()


def test_worked_example_1_lateness_not_declared() -> None:
    """Without a row for lateness 3 minutes are free, and out of time stays."""
    assert checked("10:15:40", [EARLY]) == ()
    assert checked("10:42:59", [EARLY]) == ()
    (penalty,) = checked("10:43:00", [EARLY])
    assert (penalty.ms, penalty.status) == (0, "otl")


def test_out_of_time_has_a_price_of_its_own() -> None:
    """MSUK: a control missed or out of time is 30 minutes; neither order nor the row of the limit matters."""
    rows = [Formula("o", "time_control", "otl", penalty_ms=30 * MINUTE, params=LIMIT), LATE]
    (penalty,) = checked("10:43:00", rows)
    assert (penalty.formula, penalty.ms, penalty.status) == ("o", 30 * MINUTE, "otl")
    assert checked("10:10:00", rows) == ()


def test_out_of_time_may_cost_time_alone() -> None:
    """4.2: at a control that is no main one MSUK takes 30 minutes and leaves the crew in."""
    rows = [Formula("o", "time_control", "otl", penalty_ms=30 * MINUTE, params=LIMIT | {"status": ""}), LATE]
    (penalty,) = checked("10:43:00", rows)
    assert (penalty.ms, penalty.status, penalty.inputs["case"]) == (30 * MINUTE, "", "otl")


def test_a_row_for_both_sides_is_no_price_for_being_out_of_time() -> None:
    """A rate per minute never becomes a lump."""
    both = [Formula("b", "time_control", penalty_ms=MINUTE, mode="marginal", params=LIMIT)]
    assert [penalty.ms for penalty in checked("10:10:00", both) + checked("10:13:00", both)] == [2 * MINUTE, MINUTE]
    assert checked("10:59:00", both)[0].ms == 0


def test_a_check_in_only_gps_saw_is_shown_not_priced() -> None:
    """4.1: the check-in is the marshal's press, not the entry of the zone, unless the event says so."""
    (penalty,) = checked("10:43:00", MSUK, "gps")
    assert (penalty.ms, penalty.status, penalty.inputs["review"]) == (0, "", [GPS_ONLY])
    counting = Formula("e", "time_control", "early", params=LIMIT | {"gps_counts": True})
    assert checked("10:43:00", [counting, LATE], "gps")[0].status == "otl"


def test_early_check_ins_may_be_free() -> None:
    """4.1: at the end of a day, where a bulletin says so; lateness still counts."""
    free = Formula("e", "time_control", "early", penalty_ms=MINUTE, mode="marginal", params={"early_free": True})
    assert checked("10:01:00", [free, LATE]) == ()
    assert checked("10:14:00", [free, LATE])[0].ms == 20_000


def test_flat_brackets_of_minutes() -> None:
    """A table of lumps: up to 10 minutes free, 11 to 30 five minutes, beyond it an official looks."""
    rows = [
        Formula("a", "time_control", "late", offence_max=10, penalty_ms=0),
        Formula("b", "time_control", "late", offence_min=11, offence_max=30, penalty_ms=5 * MINUTE),
    ]
    assert checked("10:22:00", rows) == ()
    assert checked("10:23:00", rows)[0].ms == 5 * MINUTE
    assert checked("10:43:00", rows)[0].inputs["review"]


OUT = Formula("o", "time_control", "otl", penalty_ms=30 * MINUTE, params=LIMIT | {"status": ""})
RETIRED = Formula("m", "time_control", "main_otl", params={"status": "dnf"})
LEAVING = Formula("x", "time_control", "main_out", penalty_ms=10_000, mode="marginal", offence_min=1)
NCR = [EARLY, LATE, OUT, RETIRED, LEAVING]


def at_control(card: str | None, formulas: list[Formula], **fields: object) -> list[tuple[int, str, str]]:
    """(seconds, status, case) at a control due at 10:12; without a card it was not visited."""
    recorded = None if card is None else hms(card) // MINUTE * MINUTE
    check = TimeCheck("liaison", "tc2", hms("10:12:00"), recorded, "card" if card else "", **fields)  # type: ignore[arg-type]
    issued = evaluate(Offences("C-2", checks=(check,)), formulas)
    return [(p.ms // 1000, p.status, str(p.inputs["case"])) for p in issued]


@pytest.mark.parametrize(
    ("card", "kind", "expected"),
    [
        ("10:43:00", "", [(1800, "", "otl")]),
        (None, "", [(1800, "", "missed")]),
        ("10:43:00", "main", [(0, "dnf", "otl")]),
        (None, "main", [(0, "dnf", "missed")]),
        ("10:10:00", "main", [(120, "", "early")]),
        ("10:15:00", "main", [(30, "", "late")]),
        ("10:10:00", "main-out", [(20, "", "early")]),  # 10 s a minute before or after
        ("10:15:00", "main-out", [(30, "", "late")]),
        ("10:12:59", "main-out", []),
        ("10:43:00", "main-out", [(0, "dnf", "otl")]),
    ],
)
def test_main_controls(card: str | None, kind: str, expected: list[tuple[int, str, str]]) -> None:
    """4.2 (MSUK App. 8, App. 14): 30 min at a control that is no main one; at a main one the crew is retired."""
    assert at_control(card, NCR, kind=kind) == expected


def test_a_main_control_without_rows_of_its_own_is_like_any_other() -> None:
    assert at_control(None, [EARLY, LATE, OUT], kind="main") == [(1800, "", "missed")]
    assert at_control("10:10:00", [EARLY, LATE, OUT], kind="main-out") == [(120, "", "early")]


def test_a_missed_control_is_as_out_of_time() -> None:
    """MSUK 10.1i: out of time is as if the control had not been visited; so is the price, and what it makes of a stage
    that still goes on."""
    assert at_control(None, MSUK) == [(0, "otl", "missed")]
    assert at_control(None, MSUK, ended=True) == [(0, "", "missed")]
    without_limit = [Formula("l", "time_control", "late", penalty_ms=10_000, mode="marginal")]
    check = TimeCheck("liaison", "tc2", hms("10:12:00"), None)
    (penalty,) = evaluate(Offences("C-2", checks=(check,)), without_limit)
    assert (penalty.ms, penalty.status, penalty.inputs["review"]) == (0, "", [UNPRICED])


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("10:12:00", []),
        ("10:22:59", []),
        ("10:23:00", [(10, "", "late")]),
        ("10:10:00", [(120, "", "early")]),
        ("10:52:00", [(300, "", "late")]),
        ("10:53:00", [(0, "otl", "otl")]),
    ],
)
def test_a_delay_allowance_frees_lateness_and_not_earliness(card: str, expected: list[tuple[int, str, str]]) -> None:
    """4.1 (MSUK 10.1d, 10.1i): 10 minutes given in writing count for being late and for being out of time."""
    assert at_control(card, MSUK, allowance_ms=10 * MINUTE) == expected
