"""Late starts, neutralisations and closed controls (rulebook 4.2, 4.3, 8.1, worked examples 13, 14, 15)."""

from typing import Literal

import pytest

from apps.penalties.domain.closing import closes
from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.formulas import Formula, Issued, clock
from apps.penalties.domain.registry import LatePassage, NeutralStay, Offences, StartDrive
from apps.penalties.tests.domain.build import MINUTE, hms, total
from apps.timing.domain.segment_times import Facts, duration, segment_times
from apps.timing.tests.domain.build import cut, special, stage, waypoint

PER_MINUTE = [Formula("m", "late_start", penalty_ms=MINUTE, mode="marginal")]
BACK = [Formula("n", "neutralisation")]


def late(actual: str, formulas: list[Formula]) -> tuple[Issued, ...]:
    """A crew assigned 10:00:00 that left at this time."""
    return evaluate(Offences("C-2", starts=(StartDrive("ss", hms("10:00:00"), hms(actual)),)), formulas)


@pytest.mark.parametrize(
    ("start_from", "formulas", "result"), [("assigned", PER_MINUTE, "4:24:00"), ("crossing", [], "4:00:00")]
)
def test_worked_example_15_late_at_the_start(
    start_from: Literal["assigned", "crossing"], formulas: list[Formula], result: str
) -> None:
    """Assigned 10:00, left 10:12, finish 14:12: both readings by settings."""
    six = hms("06:00:00")
    crossings = {control: [cut(control, (hms(t) - six) / 1000)] for control, t in _DRIVEN.items()}
    plan = stage(special(start_from=start_from))
    (time,) = segment_times(plan, crossings, Facts({"ss": hms("10:00:00")}))
    assert time.net_ms is not None
    assert clock(time.net_ms + sum(penalty.ms for penalty in late("10:12:00", formulas))) == result


_DRIVEN = {"start": "10:12:00", "finish": "14:12:00"}


def test_worked_example_15_the_penalty_is_twelve_minutes() -> None:
    """Minutes not whole are dropped."""
    assert late("10:12:59", PER_MINUTE)[0].ms == 12 * MINUTE
    assert late("10:00:59", PER_MINUTE) == ()
    assert late("09:59:00", PER_MINUTE) == ()


def test_a_late_start_by_the_second() -> None:
    """The unit is a setting."""
    rows = [Formula("s", "late_start", penalty_ms=1000, mode="marginal", params={"unit": "second"})]
    assert late("10:00:59.900", rows)[0].ms == 59_000


@pytest.mark.parametrize(("actual", "status"), [("10:30:59", ""), ("10:31:00", "dns")])
def test_beyond_the_limit_a_late_start_is_none(actual: str, status: str) -> None:
    """More than 30 whole minutes; exactly as many is still in, as at a time control."""
    rows = [Formula("m", "late_start", penalty_ms=MINUTE, mode="marginal", params={"limit_minutes": 30})]
    (penalty,) = late(actual, rows)
    assert penalty.status == status
    assert penalty.ms == (0 if status else 30 * MINUTE)


def neutral(exit_at: str, formulas: list[Formula]) -> tuple[Issued, ...]:
    """DN validated 10:15:20, 15 minutes allotted."""
    stay = NeutralStay("n", hms("10:15:20"), hms(exit_at), 15 * MINUTE)
    return evaluate(Offences("C-2", neutral=(stay,)), formulas)


def test_worked_example_13_earliest_exit() -> None:
    """10:29:05 is 75 s early, 10:30:20 in time."""
    (penalty,) = neutral("10:29:05", BACK)
    assert penalty.ms == 75_000
    assert penalty.inputs["early_seconds"] == 75
    assert penalty.inputs["earliest_exit_ts"] == hms("10:30:20")
    assert neutral("10:30:20", BACK) == ()
    assert neutral("10:32:20", BACK) == ()


def test_worked_example_13_the_allotment_is_subtracted() -> None:
    """3:22:11 − 0:15:00 = 3:07:11, whatever the crew stayed."""
    _, net = duration(special(neutral_ms=15 * MINUTE), hms("09:40:00"), hms("13:02:11"))
    assert clock(net) == "3:07:11"


def test_a_neutralisation_adds_rate_and_flat_sum() -> None:
    """Early back, plus 2 s a second, plus a minute; a second begun counts."""
    rows = [Formula("n", "neutralisation", penalty_ms=2000, mode="marginal", params={"flat_ms": MINUTE})]
    assert neutral("10:30:10.500", rows)[0].ms == 3 * 10_000 + MINUTE
    only_rate = [Formula("n", "neutralisation", penalty_ms=2000, mode="marginal", params={"give_back": False})]
    assert neutral("10:30:10", only_rate)[0].ms == 20_000


def test_worked_example_14_closing_of_a_passage_control() -> None:
    """Last start 10:30, km 40 at 25 km/h: 12:06."""
    assert closes(hms("10:30:00"), 40) == hms("12:06:00")
    assert closes(hms("10:30:00"), 40, margin_ms=MINUTE) == hms("12:07:00")


@pytest.mark.parametrize(("distance", "speed"), [(40, 0), (-1, 25)])
def test_a_closing_without_a_time_is_refused(distance: float, speed: float) -> None:
    """No speed, no closing."""
    with pytest.raises(ValueError, match="km/h"):
        closes(0, distance, speed)


@pytest.mark.parametrize(("passed", "ms"), [("12:06:00", 0), ("12:06:00.001", 15), ("12:35:59", 15), ("12:36:00", 60)])
def test_worked_example_14_passages_after_the_closing(passed: str, ms: int) -> None:
    """Priced like a missed waypoint of its type, by the whole minutes after."""
    rows = [
        Formula("a", "closed_control", "PC", offence_max=29, penalty_ms=15 * MINUTE),
        Formula("b", "closed_control", "PC", offence_min=30, penalty_ms=60 * MINUTE),
    ]
    passage = LatePassage(waypoint(4, "PC"), closes(hms("10:30:00"), 40), hms(passed))
    assert total(Offences("C-2", late=(passage,)), rows) == ms * MINUTE
    other = LatePassage(waypoint(4, "WPM"), passage.closes_ts, passage.ts)
    assert evaluate(Offences("C-2", late=(other,)), rows) == ()
