"""Stays inside a control."""

from apps.course.domain.crossings import Crossing, Direction
from apps.course.domain.visits import visits


def crossing(way: str, ts: int) -> Crossing:
    return Crossing("c", 0, Direction(way), ts, 0, ts - 500, ts + 500, 0.5)


def stays(*marks: tuple[str, int]) -> list[tuple[int | None, int | None]]:
    found = visits([crossing(way, ts) for way, ts in marks])
    return [(v.enter.ts if v.enter else None, v.leave.ts if v.leave else None) for v in found]


def test_pairs_in_any_order_of_arrival() -> None:
    assert stays(("leave", 9000), ("enter", 1000), ("leave", 4000), ("enter", 6000)) == [(1000, 4000), (6000, 9000)]


def test_a_record_that_begins_or_ends_inside() -> None:
    assert stays(("leave", 4000), ("enter", 6000)) == [(None, 4000), (6000, None)]


def test_what_a_gap_swallowed_is_not_guessed() -> None:
    assert stays(("enter", 1000), ("enter", 6000), ("leave", 9000)) == [(1000, None), (6000, 9000)]
