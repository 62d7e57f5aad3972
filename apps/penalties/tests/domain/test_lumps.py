"""DNF, DNS, fixed penalties and maximum times (rulebook 6.4, worked examples 7 and 11)."""

from collections import Counter

import pytest

from apps.penalties.domain.closing import longest
from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.fixed_penalty import ALREADY_GIVEN
from apps.penalties.domain.formulas import Formula, Issued, clock
from apps.penalties.domain.lumps import DAY_STARTED, NO_MAXIMUM, on_account
from apps.penalties.domain.registry import Before, Incident, Offences, SegmentDrive
from apps.penalties.tests.domain.build import MINUTE, hms, total
from apps.timing.tests.domain.build import waypoint

HOUR = 60 * MINUTE
FIM = {"stage_penalty_ms": HOUR, "add_maximum": True}
FIM_2025 = [
    Formula("all", "missed_waypoint", penalty_ms=15 * MINUTE),
    Formula("wpn", "missed_waypoint", "WPN", penalty_ms=HOUR),
    Formula("dnf", "dnf_lump", penalty_ms=3 * HOUR, params=FIM),
    Formula("dns", "dns_lump", penalty_ms=6 * HOUR, params=FIM),
]
OLD_DAKAR = [
    Formula("pc", "missed_waypoint", "PC", penalty_ms=15 * MINUTE),
    Formula("max", "dnf_lump", params={"add_maximum": True}),
    Formula("day", "fixed_penalty", penalty_ms=15 * HOUR, article="19P5"),
]
SERRES = [
    Formula("dns", "dns_lump", penalty_ms=2 * HOUR, params={"allowed": 1}),
    Formula("l", "maximum_time", "liaison", params={"status": "dnf"}),
    Formula("s", "maximum_time", "special"),
]


def stage(status: str, *missed: str, maximum_ms: int | None = 7 * HOUR, before: Before | None = None) -> Offences:
    """A stage with a status and the waypoints not validated."""
    plans = tuple(waypoint(order, kind) for order, kind in enumerate(missed))
    return Offences("M-1", plans, status=status, maximum_ms=maximum_ms, before=before or Before())


def test_worked_example_7_dns_announced() -> None:
    """6 + 1 + 7 + 30 waypoints of 15 min + 2 WPN of 60: 23:30:00."""
    assert clock(total(stage("dns", *["WPM"] * 30, "WPN", "WPN"), FIM_2025)) == "23:30:00"


@pytest.mark.parametrize("status", ["dnf", "otl"])
def test_worked_example_7_dnf(status: str) -> None:
    """3 + 1 + 7 + 10 waypoints of 15 min: 13:30:00; out of time costs the same."""
    assert clock(total(stage(status, *["WPM"] * 10), FIM_2025)) == "13:30:00"


def test_worked_example_7_fixed_penalty_of_the_day() -> None:
    """19P5: maximum 8:00 + 2:00 of passage controls + 15:00."""
    assert clock(total(stage("dnf", *["PC"] * 8, maximum_ms=8 * HOUR), OLD_DAKAR)) == "25:00:00"


def test_worked_example_7_a_second_fixed_penalty_in_the_leg_is_rejected() -> None:
    """Shown with its reason, and worth nothing; the next leg begins anew."""
    again = stage("dnf", before=Before(event={"fixed_penalty": 1}, leg={"fixed_penalty": 1}))
    (penalty,) = (p for p in evaluate(again, OLD_DAKAR) if p.type == "fixed_penalty")
    assert (penalty.ms, penalty.inputs["review"]) == (0, [ALREADY_GIVEN])
    next_leg = stage("dnf", before=Before(event={"fixed_penalty": 1}))
    assert max(p.ms for p in evaluate(next_leg, OLD_DAKAR)) == 15 * HOUR


def test_worked_example_7_real_case_of_2023() -> None:
    """10:45 for a stage not finished in time and 18:00 for the route not followed: 28:45."""
    rows = [
        Formula("dnf", "dnf_lump", penalty_ms=10 * HOUR + 45 * MINUTE),
        Formula("route", "incident", "route", penalty_ms=18 * HOUR),
    ]
    offences = Offences("C-2", incidents=(Incident("i", "route", hms("12:00:00")),), status="otl")
    assert clock(total(offences, rows)) == "28:45:00"


@pytest.mark.parametrize("status", ["", "dsq", "nc"])
def test_a_lump_needs_its_status(status: str) -> None:
    """A finished or disqualified crew has none."""
    assert evaluate(stage(status), FIM_2025 + OLD_DAKAR[2:]) == ()


def test_a_maximum_nobody_set_is_not_zero_in_silence() -> None:
    """The lump without it, and a word to the officials."""
    (penalty,) = evaluate(stage("dnf", maximum_ms=None), FIM_2025)
    assert (penalty.ms, penalty.inputs["review"]) == (4 * HOUR, [NO_MAXIMUM])


@pytest.mark.parametrize(("earlier", "status"), [(0, ""), (1, "nc"), (2, "nc")])
def test_worked_example_11_days_not_started(earlier: int, status: str) -> None:
    """Serres: one costs two hours, a second takes the crew out of the classification."""
    (penalty,) = evaluate(stage("dns", before=Before(event={"dns": earlier})), SERRES)
    assert (clock(penalty.ms), penalty.status, penalty.counts_as) == ("2:00:00", status, "dns")


def driven(special: bool, raw: str, maximum_ms: int) -> Offences:
    """A segment driven in this time."""
    return Offences("C-2", segments=(SegmentDrive("s", special, hms(raw) - hms("0:0:0"), maximum_ms, True),))


def test_worked_example_11_liaison_limit() -> None:
    """80 min ideal + 50 % = 120 min: 120:00 is in time, 120:01 is abandoned."""
    limit = 80 * MINUTE * 3 // 2
    assert evaluate(driven(False, "2:00:00", limit), SERRES) == ()
    (penalty,) = evaluate(driven(False, "2:00:01", limit), SERRES)
    assert (penalty.ms, penalty.status) == (0, "dnf")


def test_worked_example_11_special_stage_maximum() -> None:
    """65 km at 25 km/h: 2:36:00."""
    assert clock(longest(65)) == "2:36:00"
    assert evaluate(driven(True, "2:36:00", longest(65)), SERRES) == ()
    assert evaluate(driven(True, "2:36:01", longest(65)), SERRES)[0].status == "otl"


def test_going_over_a_maximum_may_cost_time_alone() -> None:
    """The value of the bracket, and no status; without a maximum or a finish there is no offence."""
    rows = [Formula("s", "maximum_time", penalty_ms=HOUR, params={"status": ""})]
    (penalty,) = evaluate(driven(True, "3:00:00", HOUR), rows)
    assert (penalty.ms, penalty.status) == (HOUR, "")
    unfinished = SegmentDrive("s", True, None, HOUR, True)
    unlimited = SegmentDrive("t", True, HOUR, None, True)
    assert evaluate(Offences("C-2", segments=(unfinished, unlimited)), rows) == ()


PER_DAY = Formula("dns", "dns_lump", penalty_ms=2 * HOUR, params={"allowed": 1, "per": "leg", "count_missed": False})


@pytest.mark.parametrize(
    ("legs", "hours", "last"),
    [
        (["n"], [2], ""),
        (["nn"], [2, 0], ""),  # two stages of one day are one day not started
        (["nn", "n"], [2, 0, 2], "nc"),  # Serres: two or more, out
        (["n", "s", "n"], [2, 2], "nc"),
        (["sn"], [0], ""),  # the day was started
        (["sn", "n", "s"], [0, 2], ""),
        (["ns", "n"], [2, 2], "nc"),
    ],
)
def test_a_day_not_started_counts_once_whatever_its_stages(legs: list[str], hours: list[int], last: str) -> None:
    """6.4: n = not started, s = started; the lump of each stage not started, and what the last makes of the crew."""
    event: Counter[str] = Counter()
    issued: list[Issued] = []
    for leg in legs:
        of_leg: Counter[str] = Counter()
        for letter in leg:
            before = Before(dict(event), dict(of_leg))
            issued += evaluate(stage("dns", before=before), [PER_DAY]) if letter == "n" else []
            counts = on_account(before, started=letter == "s", not_started=letter == "n")
            event.update(counts)
            of_leg.update(counts)
    assert [penalty.ms // HOUR for penalty in issued] == hours
    assert issued[-1].status == last


def test_a_stage_not_started_of_a_day_that_was_is_for_an_official() -> None:
    (penalty,) = evaluate(stage("dns", before=Before({"started": 1}, {"started": 1})), [PER_DAY])
    assert (penalty.ms, penalty.inputs["review"], penalty.inputs["count"]) == (0, [DAY_STARTED], 0)
