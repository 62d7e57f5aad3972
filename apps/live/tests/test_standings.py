"""Order, gaps and times of a board as people read it."""

from typing import Any

import pytest

from apps.live.standings import clock, standings


def line(number: int, **fields: Any) -> dict[str, Any]:
    blank = {
        "entryId": str(number), "raceNumber": number, "crew": "", "vehicle": "", "classCode": "C-1",
        "status": "finished", "timeMs": None, "penaltyMs": 0, "totalMs": None, "rank": None, "classRank": None,
        "lastControl": "", "completedStages": 1,
    }  # fmt: skip
    return {**blank, **fields}


BOARD = [
    line(305, status="dnf"),
    line(304, status="registered"),
    line(303, status="running", lastControl="WP 2", timeMs=1000),
    line(302, rank=2, classRank=1, totalMs=72_000, classCode="C-2"),
    line(301, rank=1, classRank=1, totalMs=60_000),
    line(306, rank=3, classRank=2, totalMs=80_000, classCode="C-2"),
]


def test_ranked_then_running_then_to_come_then_the_rest() -> None:
    assert [s.race_number for s in standings(BOARD)] == [301, 302, 306, 303, 304, 305]


def test_gaps_are_to_the_leader_of_what_is_shown() -> None:
    assert [s.gap for s in standings(BOARD)][:3] == ["", "+0:12", "+0:20"]
    of_class = standings(BOARD, "C-2")
    assert [(s.rank, s.gap) for s in of_class] == [("1", ""), ("2", "+0:08")]


def test_crews_that_drove_fewer_stages_are_shown_no_gap_in_time() -> None:
    """Protects from +0:05 on a crew that is a whole stage behind but has a longer total than the leader."""
    driven = ((90_000, 2), (100_000, 2), (95_000, 1), (99_000, 1))
    board = [line(301 + n, rank=n + 1, totalMs=ms, completedStages=done) for n, (ms, done) in enumerate(driven)]
    board.append(line(305, rank=5, totalMs=50_000, completedStages=0, status="dnf"))
    assert [s.gap for s in standings(board)] == ["", "+0:10", "fewer stages", "fewer stages", ""]


def test_an_incomplete_crew_behind_a_slower_complete_one_is_shown_no_gap() -> None:
    """Serres: Q with a lump for a liaison and 8:50:00 comes after P with 9:10:00, and is not 20 minutes ahead."""
    board = [line(301, rank=1, totalMs=33_000_000), line(302, rank=2, totalMs=31_800_000)]
    assert [s.gap for s in standings(board)] == ["", ""]


def test_fewer_stages_than_the_leader_of_the_class() -> None:
    board = [
        line(301, rank=1, classRank=1, totalMs=90_000, classCode="C-1", completedStages=2),
        line(302, rank=2, classRank=1, totalMs=60_000, classCode="C-2"),
        line(303, rank=3, classRank=2, totalMs=70_000, classCode="C-2"),
    ]
    assert [s.gap for s in standings(board, "C-2")] == ["", "+0:10"]


@pytest.mark.parametrize(("ms", "text"), [(0, ""), (5000, "+0:05"), (600_000, "+10:00"), (3_600_000, "+1:00:00")])
def test_penalties_are_minutes_and_hours_where_they_need_them(ms: int, text: str) -> None:
    assert standings([line(301, penaltyMs=ms)])[0].penalty == text


def test_the_control_is_told_only_of_those_on_their_way() -> None:
    assert [s.control for s in standings(BOARD) if s.control] == ["WP 2"]


@pytest.mark.parametrize(
    ("ms", "tenths", "text"),
    [(None, False, ""), (0, False, "0:00:00"), (3_599_999, False, "0:59:59"), (3_599_999, True, "0:59:59.9"),
     (36_000_000, False, "10:00:00"), (360_000_040, True, "100:00:00.0")],
)  # fmt: skip
def test_times_are_cut_never_rounded_up(ms: int | None, tenths: bool, text: str) -> None:
    assert clock(ms, tenths=tenths) == text


def test_one_time_with_tenths_gives_tenths_to_all() -> None:
    board = [line(301, rank=1, totalMs=60_100), line(302, rank=2, totalMs=61_000)]
    assert [s.total for s in standings(board)] == ["0:01:00.1", "0:01:01.0"]
