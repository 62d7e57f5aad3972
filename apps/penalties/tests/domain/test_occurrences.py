"""False starts and reported incidents, by their number in the event (rulebook 2.3, 3.4, 5.1, worked example 2)."""

from dataclasses import replace

import pytest

from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.formulas import Formula, clock
from apps.penalties.domain.occurrences import BEYOND
from apps.penalties.domain.registry import Before, Incident, Offences
from apps.penalties.tests.domain.build import MINUTE, hms
from apps.timing.domain.segment_times import duration
from apps.timing.tests.domain.build import special

MSUK = [
    Formula("1", "false_start", offence_min=1, offence_max=1, penalty_ms=10_000, params={"add_value": True}),
    Formula("2", "false_start", offence_min=2, offence_max=2, penalty_ms=MINUTE),
    Formula("3", "false_start", offence_min=3, offence_max=3, penalty_ms=3 * MINUTE),
]
UNLOCKS = [
    Formula("u", "incident", "gps_unlock", offence_min=1, offence_max=3, penalty_ms=180 * MINUTE),
    Formula("out", "incident", "gps_unlock", offence_min=4, params={"status": "dsq"}),
]


def reported(*kinds: str, earlier: int = 0, value_ms: int = 0) -> Offences:
    """Incidents of one stage in order of time, ids the other way; each kind with so many in earlier stages."""
    incidents = tuple(Incident(f"i{9 - n}", kind, hms(f"11:3{n}:00"), value_ms) for n, kind in enumerate(kinds))
    return Offences("C-2", incidents=incidents, before=Before(event=dict.fromkeys(kinds, earlier)))


@pytest.mark.parametrize(("earlier", "result"), [(0, "0:22:52.900"), (1, "0:23:41.300"), (2, "0:25:41.300")])
def test_worked_example_2_false_starts(earlier: int, result: str) -> None:
    """Assigned 11:30:00.0, left 11:29:58.4, finish 11:52:41.37, timing to the tenth."""
    gained = hms("11:30:00") - hms("11:29:58.4")
    (penalty,) = evaluate(reported("false_start", earlier=earlier, value_ms=gained), MSUK)
    _, driven = duration(special(rounding_ms=100), hms("11:30:00"), hms("11:52:41.37"))
    assert clock(driven) == "0:22:41.300"
    assert clock(driven + penalty.ms) == result


def test_worked_example_2_later_false_starts_are_the_clerks() -> None:
    """Beyond the third the table is silent: the clerk of the course decides."""
    (penalty,) = evaluate(reported("false_start", earlier=3), MSUK)
    assert (penalty.ms, penalty.inputs["review"]) == (0, [BEYOND])


def test_incidents_of_one_stage_are_numbered_by_time() -> None:
    """Two in one stage are the first and the second, each with its own key."""
    issued = evaluate(reported("false_start", "false_start", value_ms=500), MSUK)
    assert [(penalty.key, penalty.ms) for penalty in issued] == [
        ("false_start:i8", MINUTE),
        ("false_start:i9", 10_500),
    ]
    assert {penalty.counts_as for penalty in issued} == {"false_start"}


@pytest.mark.parametrize(("earlier", "ms", "status"), [(0, 180 * MINUTE, ""), (2, 180 * MINUTE, ""), (3, 0, "dsq")])
def test_the_fourth_unlock_is_out_of_the_race(earlier: int, ms: int, status: str) -> None:
    """2.3: three hours each, the fourth use disqualifies."""
    (penalty,) = evaluate(reported("gps_unlock", earlier=earlier), UNLOCKS)
    assert (penalty.ms, penalty.status, penalty.counts_as) == (ms, status, "gps_unlock")


def test_beyond_its_table_an_incident_is_still_counted() -> None:
    """The clerk decides on it, and the next one is one more."""
    (penalty,) = evaluate(reported("gps_unlock", earlier=3), UNLOCKS[:1])
    assert (penalty.counts_as, penalty.inputs["count"], penalty.inputs["review"]) == ("gps_unlock", 4, [BEYOND])


def test_a_waived_incident_gives_its_number_to_the_next() -> None:
    """Within a stage as over the event: the second false start costs what a first one does when the first is waived."""
    offences = replace(reported("false_start", "false_start", value_ms=500), waived=frozenset({"false_start:i9"}))
    assert {p.target: p.ms for p in evaluate(offences, MSUK)} == {"i9": 10_500, "i8": 10_500}
    other = replace(offences, waived=frozenset({"incident:i9"}))
    assert {p.target: p.ms for p in evaluate(other, MSUK)} == {"i9": 10_500, "i8": MINUTE}


def test_road_law_on_liaisons() -> None:
    """3.4: a fine, an hour, exclusion."""
    rows = [
        Formula("1", "incident", "road", offence_max=1, params={"fine": "10 % of the entry fee"}),
        Formula("2", "incident", "road", offence_min=2, offence_max=2, penalty_ms=60 * MINUTE),
        Formula("3", "incident", "road", offence_min=3, params={"status": "dsq"}),
    ]
    third, second, first = evaluate(reported("road", "road", "road"), rows)
    assert (first.ms, first.inputs["fine"]) == (0, "10 % of the entry fee")
    assert (second.ms, second.status) == (60 * MINUTE, "")
    assert (third.ms, third.status) == (0, "dsq")


def test_kinds_are_counted_apart_and_a_false_start_is_no_incident() -> None:
    """A row for every kind prices each by its own count, and leaves false starts to their table."""
    rows = [Formula("any", "incident", offence_min=1, offence_max=1, penalty_ms=MINUTE)]
    issued = evaluate(reported("litter", "noise", "false_start"), rows)
    assert [penalty.counter for penalty in issued] == ["noise", "litter"]


def test_time_lost_at_a_start_is_not_given_back() -> None:
    """A negative measure (the detector was late) takes nothing off."""
    (penalty,) = evaluate(reported("false_start", value_ms=-900), MSUK)
    assert penalty.ms == 10_000
