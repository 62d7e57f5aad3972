"""Tables: worked examples 8, 9 and 11, sections, bases, gaps, teams (rulebook 6)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.scoring.domain.classification import Line, Rules, TieRule
from apps.scoring.domain.overall import overall
from apps.scoring.domain.standings import Basis, By, Row, Table, standings
from apps.scoring.domain.status import Status
from apps.scoring.tests.domain.test_classification import EXAMPLE_8, line, ms

BACKWARDS = Rules()
SERRES = Rules(complete_first=True)


def ranks(rows: tuple[Row, ...]) -> list[tuple[str, int | None]]:
    return [("".join(row.entries), row.rank) for row in rows]


def timed(entry: str, number: int, clean: str, credit_ms: int = 0) -> Line:
    """A finished line without penalties, less what was given back."""
    total = ms(clean) - credit_ms
    return line(entry, number, total, clean_ms=total)


def test_worked_example_8_ties_of_a_start_order_go_by_number() -> None:
    """B(4), A(7), C(9) for the start order, B, C, A for the result."""
    lines = [replace(item, start_order_ms=item.total_ms) for item in EXAMPLE_8]
    assert ranks(standings(lines, BACKWARDS, Table())) == [("B", 1), ("C", 2), ("A", 3)]
    by_number = standings(lines, BACKWARDS, Table(basis=Basis.START_ORDER))
    assert ranks(by_number) == [("B", 1), ("A", 2), ("C", 3)]


def test_worked_example_9_time_given_back() -> None:
    """Credit 14:13: Peterhansel wins with 4:47:00, Loeb + 7:28, Despres + 10:01."""
    field = [timed("Loeb", 1, "4:54:28"), timed("Despres", 2, "4:57:01")]
    before = standings([*field, timed("Peterhansel", 3, "5:01:13")], BACKWARDS, Table())
    assert [(row.entries[0], row.gap_ms) for row in before] == [
        ("Loeb", 0),
        ("Despres", ms("0:02:33")),
        ("Peterhansel", ms("0:06:45")),
    ]
    after = standings([*field, timed("Peterhansel", 3, "5:01:13", ms("0:14:13"))], BACKWARDS, Table())
    assert [(row.entries[0], row.ranked_ms, row.gap_ms, row.interval_ms) for row in after] == [
        ("Peterhansel", ms("4:47:00"), 0, 0),
        ("Loeb", ms("4:54:28"), ms("0:07:28"), ms("0:07:28")),
        ("Despres", ms("4:57:01"), ms("0:10:01"), ms("0:02:33")),
    ]


def test_worked_example_11_two_tiers_over_the_event() -> None:
    """P completed all in 9:10:00; Q abandoned a liaison, 8:50:00 with its lump; R did not start a second day."""
    lump = {"status": Status.DNF, "complete": False, "lumped": True}
    stages = [
        [line("P", 1, ms("5:00:00")), line("Q", 2, ms("4:50:00"), **lump), line("R", 3, ms("2:00:00"), **lump)],
        [line("P", 1, ms("4:10:00")), line("Q", 2, ms("4:00:00")), line("R", 3, None, status=Status.NC)],
    ]
    rows = standings(overall(stages), SERRES, Table())
    assert ranks(rows) == [("P", 1), ("Q", 2), ("R", None)]
    assert [row.total_ms for row in rows[:2]] == [ms("9:10:00"), ms("8:50:00")]
    assert [(row.gap_ms, row.interval_ms) for row in rows] == [(0, 0), (None, None), (None, None)]


MIXED = [
    line("a", 1, 100, race_class="C-2", group="car", clean_ms=100, start_order_ms=100),
    line("b", 2, 90, race_class="M-1", group="moto", clean_ms=50, start_order_ms=90, penalty_ms=40),
    line("c", 3, 95, race_class="M-2", group="moto", clean_ms=80, start_order_ms=80, penalty_ms=15),
    line("d", 4, 99, race_class="M-2", status=Status.DNF, lumped=True, complete=False, penalty_ms=99),
]


def test_scratch() -> None:
    rows = standings(MIXED, BACKWARDS, Table())
    assert ranks(rows) == [("b", 1), ("c", 2), ("d", 3), ("a", 4)]
    assert [row.interval_ms for row in rows] == [0, 5, 4, 1]


def test_classes_and_groups_are_sections_of_their_own() -> None:
    """Ranks and gaps start anew in each; who has no group is in none."""
    by_class = standings(MIXED, BACKWARDS, Table(By.CLASS))
    assert [(row.section, *row.entries, row.rank, row.gap_ms) for row in by_class] == [
        ("C-2", "a", 1, 0),
        ("M-1", "b", 1, 0),
        ("M-2", "c", 1, 0),
        ("M-2", "d", 2, 4),
    ]
    by_group = standings(MIXED, BACKWARDS, Table(By.GROUP))
    assert [(row.section, *row.entries, row.rank) for row in by_group] == [
        ("car", "a", 1),
        ("moto", "b", 1),
        ("moto", "c", 2),
    ]


def test_clean_ranks_by_the_time_without_penalties() -> None:
    """A lump has no clean time; the row shows the penalties all the same."""
    rows = standings(MIXED, BACKWARDS, Table(basis=Basis.CLEAN))
    assert ranks(rows) == [("b", 1), ("c", 2), ("a", 3), ("d", None)]
    assert (rows[0].ranked_ms, rows[0].total_ms, rows[0].clean_ms, rows[0].penalty_ms) == (50, 90, 50, 40)
    assert (rows[3].ranked_ms, rows[3].total_ms) == (None, 99)


def test_start_order_counts_only_what_touches_it() -> None:
    rows = standings(MIXED, BACKWARDS, Table(basis=Basis.START_ORDER))
    assert ranks(rows) == [("c", 1), ("b", 2), ("a", 3), ("d", None)]


TEAMS = [
    line("a", 1, 100, team="one", clean_ms=10),
    line("b", 2, 200, team="one", clean_ms=20),
    line("c", 3, 300, team="one", clean_ms=30),
    line("d", 4, 150, team="two", clean_ms=150),
    line("e", 5, 155, team="two", clean_ms=155),
    line("f", 6, 1, team="three", clean_ms=1),
    line("g", 7, 1, clean_ms=1),
]


def test_a_team_is_the_sum_of_its_best_two() -> None:
    """The third member does not count; a team with one ranked member is listed without a rank; nobody's is none."""
    rows = standings(TEAMS, BACKWARDS, Table(By.TEAM))
    assert [(row.section, row.rank, row.ranked_ms, row.gap_ms, row.interval_ms) for row in rows] == [
        ("one", 1, 300, 0, 0),
        ("two", 2, 305, 5, 5),
        ("three", None, None, None, None),
    ]
    assert [row.entries for row in rows] == [("a", "b"), ("d", "e"), ("f",)]
    assert [(row.total_ms, row.clean_ms) for row in rows] == [(300, 30), (305, 305), (None, None)]
    clean = standings(TEAMS, BACKWARDS, Table(By.TEAM, Basis.CLEAN))
    assert (clean[0].ranked_ms, clean[0].total_ms) == (30, 300)


@pytest.mark.parametrize(("size", "first"), [(1, "three"), (3, "one")])
def test_the_size_of_a_team_is_a_setting(size: int, first: str) -> None:
    assert standings(TEAMS, BACKWARDS, Table(By.TEAM, team_size=size))[0].section == first


def test_teams_that_tie_are_told_apart_by_their_best_member_or_share_the_rank() -> None:
    """100 + 200 with the best of all first; two times 150 + 150 share; the next rank is skipped."""
    equal = [("x", 150, 150), ("y", 150, 150), ("z", 100, 200), ("w", 200, 200)]
    lines = [
        line(f"{team}{n}", number * 10 + n, total, team=team)
        for number, (team, *totals) in enumerate(equal)
        for n, total in enumerate(totals)
    ]
    rows = standings(lines, BACKWARDS, Table(By.TEAM))
    assert [(row.section, row.rank) for row in rows] == [("z", 1), ("x", 2), ("y", 2), ("w", 4)]


def test_a_team_with_an_incomplete_member_is_behind_complete_teams() -> None:
    """6.2 holds for the sum of a team as for a crew."""
    lines = [line("a", 1, 1, team="one", complete=False), line("b", 2, 1, team="one")]
    lines += [line("c", 3, 500, team="two"), line("d", 4, 500, team="two")]
    rows = standings(lines, SERRES, Table(By.TEAM))
    assert [(row.section, row.rank, row.gap_ms) for row in rows] == [("two", 1, 0), ("one", 2, None)]


def test_a_team_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="team_size: 0"):
        Table(By.TEAM, team_size=0)


LINES = st.lists(
    st.builds(
        Line,
        entry=st.uuids().map(str),
        race_number=st.integers(1, 5),
        race_class=st.sampled_from(["M-1", "C-2"]),
        group=st.sampled_from(["", "moto"]),
        team=st.sampled_from(["", "one", "two"]),
        status=st.sampled_from(Status),
        total_ms=st.none() | st.integers(0, 3),
        clean_ms=st.none() | st.integers(0, 3),
        start_order_ms=st.none() | st.integers(0, 3),
        complete=st.booleans(),
        completed=st.integers(0, 2),
        lumped=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda item: item.entry,
)
TABLES = st.builds(Table, st.sampled_from(By), st.sampled_from(Basis), st.integers(1, 3))
RULES = st.builds(Rules, st.sampled_from(TieRule), st.booleans())


@given(LINES, RULES, TABLES, st.randoms(use_true_random=False))
def test_a_table_is_a_total_order(lines: list[Line], rules: Rules, table: Table, random: object) -> None:
    """Any order of the lines gives the same rows; ranks rise from 1, and intervals add up to the gap."""
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    rows = standings(lines, rules, table)
    assert standings(shuffled, rules, table) == rows
    sections = {"" if table.by is By.TEAM else row.section for row in rows}
    for section in sections:
        mine = [row for row in rows if table.by is By.TEAM or row.section == section]
        found = [row.rank for row in mine if row.rank is not None]
        assert found == sorted(found)
        assert found[:1] in ([], [1])
        _intervals_add_up(mine)


def _intervals_add_up(rows: list[Row]) -> None:
    behind = 0
    for row in rows:
        if row.rank is None or row.gap_ms is None or row.interval_ms is None:
            break
        behind += row.interval_ms
        assert behind == row.gap_ms


@given(LINES, RULES)
def test_a_table_of_one_class_is_the_scratch_of_its_crews(lines: list[Line], rules: Rules) -> None:
    by_class = standings(lines, rules, Table(By.CLASS))
    for race_class in ("M-1", "C-2"):
        alone = standings([item for item in lines if item.race_class == race_class], rules, Table())
        assert [replace(row, section="") for row in by_class if row.section == race_class] == list(alone)
