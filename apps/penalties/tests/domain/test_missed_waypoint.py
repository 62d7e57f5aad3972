"""Missed waypoints and the 70 % rule (rulebook 2.3, worked example 5)."""

import random
from dataclasses import replace

import pytest

from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.explain import explain
from apps.penalties.domain.formulas import Formula, clock
from apps.penalties.domain.registry import Offences
from apps.penalties.tests.domain.build import MINUTE, hms
from apps.timing.domain.silences import Edge, Silence, Unproved
from apps.timing.tests.domain.build import waypoint

FIM_2025 = [
    Formula("all", "missed_waypoint", penalty_ms=15 * MINUTE, article="80.11.5"),
    Formula("wpn", "missed_waypoint", target="WPN", penalty_ms=60 * MINUTE),
    Formula("wpp", "missed_waypoint", target="WPP", penalty_ms=2 * MINUTE),
    Formula("ratio", "waypoint_ratio", offence_max=70),
]


def offences(*kinds: str, validated: int = 0, total: int = 0, finished: bool = True) -> Offences:
    """An entry that missed waypoints of these types."""
    missed = tuple(waypoint(order, kind) for order, kind in enumerate(kinds))
    return Offences("M-1", missed, validated, total, finished)


def test_worked_example_5_missed_waypoints() -> None:
    """1 WPM, 1 WPS, 1 WPN, 2 WPP of 40: 94 minutes, and 35/40 is a finish."""
    issued = evaluate(offences("WPM", "WPS", "WPN", "WPP", "WPP", validated=35, total=40), FIM_2025)
    assert sum(penalty.ms for penalty in issued) == 94 * MINUTE
    assert clock(94 * MINUTE) == "1:34:00"
    assert {penalty.type for penalty in issued} == {"missed_waypoint"}


@pytest.mark.parametrize(("validated", "dnf"), [(27, True), (28, False), (35, False)])
def test_worked_example_5_seventy_percent(validated: int, dnf: bool) -> None:
    """Strictly below 70 % is a DNF; 28 of 40 is not."""
    issued = evaluate(offences(validated=validated, total=40), FIM_2025)
    assert [penalty.type for penalty in issued] == ["waypoint_ratio"] * dnf


def test_the_share_counts_only_once_the_stage_is_finished() -> None:
    """Half way round, half of the waypoints is no offence."""
    assert evaluate(offences(validated=1, total=40, finished=False), FIM_2025) == ()


def test_a_table_for_the_class_replaces_the_one_for_all() -> None:
    """2.3: set per event and class; tables never add up."""
    rows = [
        Formula("all", "missed_waypoint", penalty_ms=15 * MINUTE),
        Formula("m1", "missed_waypoint", race_class="M-1", penalty_ms=10 * MINUTE),
        Formula("c2", "missed_waypoint", race_class="C-2", penalty_ms=99 * MINUTE),
    ]
    (penalty,) = evaluate(offences("WPM"), rows)
    assert (penalty.formula, penalty.ms) == ("m1", 10 * MINUTE)


def test_a_waived_miss_does_not_make_the_next_one_dearer() -> None:
    rows = [
        Formula("first", "missed_waypoint", offence_max=1, penalty_ms=MINUTE),
        Formula("more", "missed_waypoint", offence_min=2, penalty_ms=9 * MINUTE),
    ]
    missed = offences("WPM", "WPM")
    assert {p.target: p.ms for p in evaluate(missed, rows)} == {"w0": MINUTE, "w1": 9 * MINUTE}
    waived = replace(missed, waived=frozenset({"missed_waypoint:w0"}))
    assert {p.target: p.ms for p in evaluate(waived, rows)} == {"w0": MINUTE, "w1": MINUTE}


def test_brackets_count_the_misses_of_a_type() -> None:
    """The third miss may cost more than the first two."""
    rows = [
        Formula("few", "missed_waypoint", offence_min=1, offence_max=2, penalty_ms=MINUTE),
        Formula("many", "missed_waypoint", offence_min=3, penalty_ms=5 * MINUTE),
    ]
    issued = evaluate(offences("WPM", "WPM", "WPM"), rows)
    assert sorted(penalty.ms for penalty in issued) == [MINUTE, MINUTE, 5 * MINUTE]


def test_the_order_of_formulas_does_not_matter() -> None:
    """The rules are a set of rows."""
    seed = random.randrange(2**32)
    driven = offences("WPM", "WPN", "WPP", validated=1, total=4)
    shuffled = list(FIM_2025)
    random.Random(seed).shuffle(shuffled)
    assert evaluate(driven, shuffled) == evaluate(driven, FIM_2025), f"seed {seed}"


def test_each_offence_has_its_own_key() -> None:
    """A decision holds on to one waypoint, not to all of them."""
    issued = evaluate(offences("WPM", "WPM"), FIM_2025)
    assert [penalty.key for penalty in issued] == ["missed_waypoint:w0", "missed_waypoint:w1"]


GAP = Unproved(Silence(Edge(hms("10:00:05"), (41.0, 20.0)), Edge(hms("10:02:10"), (41.01, 20.0))), 48)
RISING = [
    Formula("first", "missed_waypoint", offence_min=1, offence_max=1, penalty_ms=15 * MINUTE),
    Formula("more", "missed_waypoint", offence_min=2, penalty_ms=30 * MINUTE),
]


def not_proved(*, doubted: bool, waived: bool = False) -> Offences:
    """Two WPM missed, the first of which may have been passed in a gap."""
    keys = frozenset({"missed_waypoint:w0"} if waived else ())
    found = offences("WPM", "WPM", validated=1, total=3)
    return replace(found, unproved={"w0": GAP}, in_doubt=frozenset({"w0"} if doubted else ()), waived=keys)


@pytest.mark.parametrize(
    ("doubted", "waived", "prices"),
    [(True, False, [0, 15]), (True, True, [15, 15]), (False, False, [15, 30])],
)
def test_what_is_not_proved_costs_nothing_and_counts_for_nothing_until_it_is_decided(
    doubted: bool, waived: bool, prices: list[int]
) -> None:
    """2.2: never missed by itself. The price of a waived one is told, and does not count."""
    issued = evaluate(not_proved(doubted=doubted, waived=waived), RISING)
    assert [penalty.ms // MINUTE for penalty in issued] == prices
    assert issued[0].inputs["case"] == "unproved"
    assert ("review" in issued[0].inputs) == (issued[0].ms == 0)
    assert (issued[0].counts_as == "missed_waypoint_review") == (issued[0].ms == 0)


@pytest.mark.parametrize(("validated", "in_doubt", "dnf"), [(27, 0, True), (27, 1, False), (20, 8, False)])
def test_what_is_not_proved_makes_no_stage_not_finished(validated: int, in_doubt: int, dnf: bool) -> None:
    """The 70 % rule counts what was left out for certain."""
    found = offences(validated=validated, total=40)
    names = frozenset(f"w{n}" for n in range(in_doubt))
    issued = evaluate(replace(found, in_doubt=names), FIM_2025)
    assert [penalty.type for penalty in issued] == ["waypoint_ratio"] * dnf


def test_the_gap_is_read_out_from_which_fix_to_which() -> None:
    text = explain(evaluate(not_proved(doubted=True), FIM_2025)[0])
    assert text == (
        "Waypoint not proved: no tracker of the crew recorded anything between 10:00:05 and 10:02:10, when it may have "
        "passed WPM w0, at 48 km/h or faster. No time penalty.\n"
        "Rule: 80.11.5, applies to overall, stage, start order\n"
        "Inputs: waypoint w0; waypoint type WPM; order 0; count 1; gap begins 10:00:05; gap ends 10:02:10; "
        "last fix 10:00:05; next fix 10:02:10; needed 48 km/h\n"
        "Arithmetic: not proved; WPM missed: 0:15:00\n"
        "To be reviewed: no tracker recorded when it may have been passed: an official decides"
    )
