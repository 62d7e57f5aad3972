"""From stages to the event (rulebook 6.1, 6.3)."""

from hypothesis import given
from hypothesis import strategies as st

from apps.scoring.domain.classification import Line, classify
from apps.scoring.domain.overall import leg, overall
from apps.scoring.domain.status import Status
from apps.scoring.tests.domain.test_classification import line, order


def running(entry: str, number: int, status: Status = Status.RUNNING) -> Line:
    """A stage not finished."""
    return line(entry, number, None, status=status, splits=(None,), completed=0)


def test_totals_and_splits_add_up() -> None:
    """The event is the sum of its stages, with what touches only the overall (6.3)."""
    stages = [
        [line("a", 1, 100, splits=(60, 40))],
        [line("a", 1, 50, splits=(50,), overall_extra_ms=7)],
    ]
    (event,) = overall(stages, {"a": 1000})
    assert (event.total_ms, event.splits, event.completed) == (1157, (60, 40, 50), 2)
    assert event.status is Status.FINISHED


def test_overall_only_penalty_leaves_the_stage_and_changes_the_event() -> None:
    """Worked example 4: liaison speeding, stage rank unchanged, overall + 2 min."""
    stage = [line("a", 1, 1000, overall_extra_ms=120_000), line("b", 2, 2000)]
    assert order(classify(stage)) == "ab"
    assert order(classify(overall([stage]))) == "ba"


def test_live_overall_ranks_by_stages_completed() -> None:
    """Who still drives stage 2 comes after those who finished it, not before them."""
    stages = [
        [line("a", 1, 100, splits=(100,)), line("b", 2, 90, splits=(90,))],
        [line("a", 1, 100, splits=(100,)), running("b", 2)],
    ]
    event = overall(stages)
    assert order(classify(event)) == "ab"
    assert [item.status for item in event] == [Status.FINISHED, Status.RUNNING]


def test_a_stage_not_finished_takes_the_crew_out_or_behind() -> None:
    """6.2: dnf in one stage is unranked, or ranked after every complete crew."""
    stages = [
        [running("a", 1, Status.DNF), line("b", 2, 500)],
        [line("a", 1, 100), line("b", 2, 500)],
    ]
    assert order(classify(overall(stages))) == "b"
    assert order(classify(overall(stages), complete_first=True)) == "ba"


def lump(entry: str, number: int, total_ms: int, status: Status = Status.DNF) -> Line:
    """A stage not finished, with a lump for its time."""
    return line(entry, number, total_ms, status=status, complete=False, lumped=True, penalty_ms=total_ms)


def test_a_stage_with_a_lump_takes_nobody_out() -> None:
    """6.4: a dnf stage is not a retired crew; it is ranked by the sum, or behind every complete crew."""
    stages = [
        [lump("a", 1, 700), line("b", 2, 500)],
        [line("a", 1, 100, clean_ms=100), line("b", 2, 500)],
    ]
    event = overall(stages)
    assert (event[0].status, event[0].total_ms, event[0].completed) == (Status.FINISHED, 800, 2)
    assert (event[0].lumped, event[0].clean_ms, event[0].penalty_ms) == (True, None, 700)
    assert order(classify(event)) == "ab"
    assert order(classify(event, complete_first=True)) == "ba"


def test_one_stage_without_a_lump_takes_the_crew_out_whatever_the_others_have() -> None:
    stages = [
        [lump("a", 1, 700), line("b", 2, 500)],
        [running("a", 1, Status.DNF), line("b", 2, 500)],
    ]
    assert order(classify(overall(stages))) == "b"


def test_between_two_stages_nobody_has_finished_the_event() -> None:
    (event,) = overall([[line("a", 1, 100)], []])
    assert event.status is Status.RUNNING


def test_penalties_are_those_in_the_total() -> None:
    """Protects a time of less than nothing from penalties of a stage that is still being driven."""
    stages = [
        [line("a", 1, 100, penalty_ms=30, overall_extra_ms=5)],
        [running("a", 1), line("b", 2)],
    ]
    fined = [stages[0], [line("a", 1, None, status=Status.RUNNING, completed=0, overall_extra_ms=900)]]
    for found in (overall(stages)[0], overall(fined)[0]):
        assert (found.total_ms, found.penalty_ms) == (105, 35)


def test_a_leg_sums_stage_results() -> None:
    """6.3: liaison speeding that touches only the event leaves the leg as it leaves the stage."""
    stages = [[line("a", 1, 100, overall_extra_ms=7)], [line("a", 1, 50)]]
    assert [item.total_ms for item in leg(stages)] == [150]
    assert [item.total_ms for item in overall(stages)] == [157]


def test_super_specials_stay_apart() -> None:
    """Ties compare them after all others, so they are not among the splits."""
    stages = [
        [line("a", 1, super_splits=(3,)), line("b", 2, super_splits=(4,))],
        [line("a", 1, splits=(5,))],
    ]
    found = [(item.splits, item.super_splits) for item in overall(stages)]
    assert found == [((5,), (3,)), ((None,), (4,))]


def test_an_entry_absent_from_a_stage_keeps_its_splits_in_place() -> None:
    """Ties compare the same special stages."""
    stages = [[line("a", 1, 10, splits=(4, 6))], [line("b", 2, 10, splits=(10,))]]
    assert [item.splits for item in overall(stages)] == [(4, 6, None), (None, None, 10)]


def test_nobody_has_started() -> None:
    """An event before its first fix has lines and no ranks."""
    stages = [[running("a", 1, Status.REGISTERED)], [running("a", 1, Status.REGISTERED)]]
    (event,) = overall(stages)
    assert (event.status, event.total_ms) == (Status.REGISTERED, None)
    assert order(classify([event])) == ""


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6), st.integers(0, 500))
def test_removing_a_penalty_never_worsens_a_total(totals: list[int], penalty: int) -> None:
    """The event total is monotone in each stage total."""
    clean = [[line("a", 1, total)] for total in totals]
    fined = [[line("a", 1, totals[0] + penalty)], *clean[1:]]
    (better,), (worse,) = overall(clean), overall(fined)
    assert better.total_ms is not None
    assert worse.total_ms == better.total_ms + penalty
