"""Ranking: worked examples 8 and 11, ties, gaps, and that it is a total order (rulebook 6)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.scoring.domain.classification import Line, Ranked, TieRule, classify
from apps.scoring.domain.status import Status


def line(entry: str, number: int, total_ms: int | None = 1000, **changes: object) -> Line:
    """A finished line of class C-2."""
    fields: dict[str, object] = {
        "entry": entry,
        "race_number": number,
        "race_class": "C-2",
        "status": Status.FINISHED,
        "total_ms": total_ms,
    }
    return Line(**(fields | changes))  # type: ignore[arg-type]


def order(ranking: tuple[Ranked, ...]) -> str:
    """The ranked entries as one word."""
    return "".join(ranked.entry for ranked in ranking if ranked.rank is not None)


def ms(text: str) -> int:
    """Milliseconds of h:mm:ss."""
    hours, minutes, seconds = map(int, text.split(":"))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


EXAMPLE_8 = [
    line("A", 7, ms("3:12:45"), splits=(ms("1:20:00"), ms("1:21:35"), ms("0:31:10"))),
    line("B", 4, ms("3:12:45"), splits=(ms("1:21:00"), ms("1:20:37"), ms("0:31:08"))),
    line("C", 9, ms("3:12:45"), splits=(ms("1:20:30"), ms("1:21:05"), ms("0:31:10"))),
]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (TieRule.LAST_SS_BACKWARDS, "BCA"),
        (TieRule.FIRST_SS_FORWARDS, "ACB"),
        (TieRule.NUMBER, "BAC"),
    ],
)
def test_worked_example_8_ties(rule: TieRule, expected: str) -> None:
    """Three equal totals told apart by each rule."""
    assert order(classify(EXAMPLE_8, rule)) == expected


def test_shared_ranks_skip_the_next() -> None:
    """6.5: 1, 1, 3 — overall and in the class."""
    lines = [line("a", 1), line("b", 2), line("c", 3, 2000)]
    ranking = classify(lines, TieRule.SHARED)
    assert [(r.rank, r.class_rank) for r in ranking] == [(1, 1), (1, 1), (3, 3)]


def test_worked_example_11_complete_crews_first() -> None:
    """Serres: P completed all in 9:10:00, Q abandoned a liaison with 8:50:00: P before Q."""
    p, q = line("P", 1, ms("9:10:00")), line("Q", 2, ms("8:50:00"), complete=False)
    ranking = classify([q, p], complete_first=True)
    assert order(ranking) == "PQ"
    assert [r.gap_ms for r in ranking] == [0, None]
    assert order(classify([q, p])) == "QP"


def test_worked_example_11_not_classified_stays_without_a_rank() -> None:
    """A second day not started: nc, and no rank even where incomplete crews are ranked."""
    lines = [line("P", 1), line("Q", 2, status=Status.NC)]
    assert order(classify(lines, complete_first=True)) == "P"


@pytest.mark.parametrize("status", [Status.DNF, Status.DNS, Status.OTL])
def test_incomplete_crews_are_ranked_only_where_the_rules_say_so(status: Status) -> None:
    """6.2: after every complete crew."""
    lines = [line("a", 1, 10, status=status, complete=False), line("b", 2, 2000)]
    assert order(classify(lines)) == "b"
    assert order(classify(lines, complete_first=True)) == "ba"


@pytest.mark.parametrize("status", [Status.DNF, Status.DNS, Status.OTL])
def test_a_lump_is_a_time(status: Status) -> None:
    """6.4: ranked by it among the finished, or after them where complete crews come first (6.2)."""
    lines = [line("a", 1, 10, status=status, complete=False, lumped=True), line("b", 2, 2000)]
    assert [(r.entry, r.rank, r.gap_ms) for r in classify(lines)] == [("a", 1, 0), ("b", 2, 1990)]
    two_tier = classify(lines, complete_first=True)
    assert [(r.entry, r.rank, r.gap_ms) for r in two_tier] == [("b", 1, 0), ("a", 2, None)]


@pytest.mark.parametrize(("rule", "expected"), [(TieRule.LAST_SS_BACKWARDS, "ab"), (TieRule.FIRST_SS_FORWARDS, "ba")])
def test_super_specials_decide_ties_after_all_other_stages(rule: TieRule, expected: str) -> None:
    """RU-7.22: the last special stage, the one before, and so on, then the super special, then the number."""
    lines = [line("b", 2, splits=(4, 6), super_splits=(1,)), line("a", 1, splits=(6, 4), super_splits=(9,))]
    assert order(classify(lines, rule)) == expected
    level = [replace(item, splits=(5, 5)) for item in lines]
    assert order(classify(level, rule)) == "ba"
    assert order(classify([replace(item, super_splits=(1,)) for item in level], rule)) == "ab"


def test_the_more_stages_completed_the_better_while_the_event_runs() -> None:
    """A short sum of one stage does not lead those who have driven two; gaps compare like with like."""
    lines = [
        line("one", 1, 100, completed=1, status=Status.RUNNING),
        line("two", 2, 900, completed=2),
        line("too", 3, 950, completed=2),
    ]
    ranking = classify(lines)
    assert [(r.entry, r.rank, r.gap_ms) for r in ranking] == [("two", 1, 0), ("too", 2, 50), ("one", 3, None)]


def test_class_ranks_count_within_the_class() -> None:
    """One ranking, a rank per class."""
    lines = [line("a", 1, 1), line("b", 2, 2, race_class="M-1"), line("c", 3, 3)]
    assert [(r.rank, r.class_rank) for r in classify(lines)] == [(1, 1), (2, 1), (3, 2)]


def test_unranked_come_last() -> None:
    """A running entry without a total is on the board, not in the ranking."""
    lines = [
        line("out", 1, status=Status.DSQ),
        line("on", 2, None, status=Status.RUNNING),
        line("in", 3, 5),
        line("off", 4, None, status=Status.REGISTERED),
    ]
    ranking = classify(lines)
    assert [r.entry for r in ranking] == ["in", "off", "on", "out"]
    assert [r.rank for r in ranking] == [1, None, None, None]


def test_a_missing_split_loses_a_tie() -> None:
    """An entry without a time on the last special stage has none better."""
    lines = [line("a", 1, splits=(5, None)), line("b", 2, splits=(5, 9))]
    assert order(classify(lines)) == "ba"


LINES = st.lists(
    st.builds(
        Line,
        entry=st.uuids().map(str),
        race_number=st.integers(1, 5),
        race_class=st.sampled_from(["M-1", "C-2"]),
        status=st.sampled_from(Status),
        total_ms=st.none() | st.integers(0, 3),
        splits=st.tuples(st.none() | st.integers(0, 2), st.none() | st.integers(0, 2)),
        complete=st.booleans(),
        completed=st.integers(0, 2),
        lumped=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda item: item.entry,
)


@given(LINES, st.sampled_from(TieRule), st.booleans(), st.randoms(use_true_random=False))
def test_classification_is_a_total_order(
    lines: list[Line], rule: TieRule, complete_first: bool, random: object
) -> None:
    """Any order of the same lines gives the same ranking of all of them; ranks start at 1 and rise."""
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ranking = classify(lines, rule, complete_first)
    assert classify(shuffled, rule, complete_first) == ranking
    assert {r.entry for r in ranking} == {item.entry for item in lines}
    ranks = [r.rank for r in ranking if r.rank is not None]
    assert ranks == sorted(ranks)
    assert ranks[:1] in ([], [1])
    assert all((r.rank is None) == (r.class_rank is None) for r in ranking)


@given(LINES.filter(bool), st.sampled_from(TieRule), st.integers(1, 3))
def test_a_lower_total_never_worsens_a_rank(lines: list[Line], rule: TieRule, less: int) -> None:
    """Removing a penalty cannot cost a place."""
    first, *others = lines
    if first.total_ms is None:
        return
    better = replace(first, total_ms=first.total_ms - less)
    before = {r.entry: r.rank for r in classify(lines, rule)}[first.entry]
    after = {r.entry: r.rank for r in classify([better, *others], rule)}[first.entry]
    assert (before is None) == (after is None)
    assert before is None or after is None or after <= before
