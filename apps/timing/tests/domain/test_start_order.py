"""Start orders and intervals (rulebook 7.1, 7.2, worked example 12)."""

from dataclasses import replace

import pytest

from apps.timing.domain.start_order import (
    IntervalBand,
    OrderRules,
    Seed,
    Starter,
    StartOrderError,
    Strategy,
    inverse_top,
    order,
    start_times,
)

SIX, EIGHT_FORTY = 6 * 3_600_000, 8 * 3_600_000 + 40 * 60_000


def day(text: str) -> int:
    """Milliseconds of the day of hh:mm:ss."""
    hours, minutes, seconds = map(int, text.split(":"))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


def test_worked_example_12_motorcycles_in_bands_and_pairs() -> None:
    """1-10 each 3 min, 11-20 each 2 min, from 21 pairs each 30 s."""
    bands = [IntervalBand(1, 180_000), IntervalBand(11, 120_000), IntervalBand(21, 30_000, together=2)]
    times = start_times(24, SIX, bands)
    expected = {
        1: "06:00:00",
        2: "06:03:00",
        10: "06:27:00",
        11: "06:29:00",
        20: "06:47:00",
        21: "06:47:30",
        22: "06:47:30",
        23: "06:48:00",
        24: "06:48:00",
    }
    assert {position: times[position - 1] for position in expected} == {
        position: day(text) for position, text in expected.items()
    }


def test_worked_example_12_cars() -> None:
    """2 min to number 35, 1 min from 36."""
    times = start_times(40, EIGHT_FORTY, [IntervalBand(1, 120_000), IntervalBand(36, 60_000)])
    assert (times[34], times[35], times[39]) == (day("09:48:00"), day("09:49:00"), day("09:53:00"))


def test_the_order_of_bands_does_not_matter() -> None:
    """Bands are a set."""
    bands = [IntervalBand(1, 180_000), IntervalBand(3, 60_000)]
    assert start_times(5, SIX, bands) == start_times(5, SIX, bands[::-1])


@pytest.mark.parametrize(
    "bands", [[], [IntervalBand(2, 1000)], [IntervalBand(1, -1)], [IntervalBand(1, 1000, together=0)]]
)
def test_bands_without_sense_are_refused(bands: list[IntervalBand]) -> None:
    """A wrong table stops, it does not make a wrong start list."""
    with pytest.raises(ValueError, match="interval band"):
        start_times(3, SIX, bands)


def test_inverse_top() -> None:
    """7.1: ranks N..1, then the others as they are."""
    assert inverse_top([1, 2, 3, 4, 5], 3) == [3, 2, 1, 4, 5]
    assert inverse_top([1, 2, 3], 3) == [3, 2, 1]


FIELD = [Starter(str(n), n, "M", merit=merit) for n, merit in [(7, 50), (4, 40), (9, 40), (2, 70), (5, 60)]]


def numbers(rules: OrderRules, starters: list[Starter] | None = None) -> list[int]:
    return [starter.number for starter in order(starters or FIELD, rules)]


@pytest.mark.parametrize("strategy", [Strategy.PREVIOUS_STAGE, Strategy.PREVIOUS_STAGE_CLEAN_RESULT])
def test_previous_stage_is_ascending_with_ties_by_race_number(strategy: Strategy) -> None:
    """DAK-COURSE; which time counts is the caller's word."""
    assert numbers(OrderRules(strategy)) == [4, 9, 7, 5, 2]


def test_worked_example_8_ties_of_the_start_order_by_number() -> None:
    """All three equal at 3:12:45: B(4), A(7), C(9)."""
    tied = [Starter(name, number, "M", merit=11_565_000) for name, number in [("A", 7), ("B", 4), ("C", 9)]]
    assert numbers(OrderRules(Strategy.PREVIOUS_STAGE), tied) == [4, 7, 9]


def test_inverse_of_top_n_and_of_the_overall() -> None:
    assert numbers(OrderRules(Strategy.INVERSE_TOP_N_THEN_NATURAL, top_n=3)) == [7, 9, 4, 5, 2]
    assert numbers(OrderRules(Strategy.INVERSE_TOP_N_THEN_NATURAL, top_n=99)) == [2, 5, 7, 9, 4]
    assert numbers(OrderRules(Strategy.INVERSE_OF_OVERALL)) == [2, 5, 7, 9, 4]


def test_manual_is_the_typed_list_and_then_the_seed() -> None:
    """Prologue of ORD22: reverse number order."""
    assert numbers(OrderRules(manual=(9, 2))) == [9, 2, 4, 5, 7]
    assert numbers(OrderRules(seed=Seed.REVERSE_NUMBER)) == [9, 7, 5, 4, 2]


def test_prologue_choice_others_and_who_has_not_chosen_fill_the_free_slots() -> None:
    """The best three (4, 9, 7) choose: 4 slot 5, 7 slot 2; 9 has not chosen and gets the first free one."""
    rules = OrderRules(Strategy.PROLOGUE_CHOICE, top_n=3, choices={4: 5, 7: 2})
    assert numbers(rules) == [9, 7, 5, 2, 4]


@pytest.mark.parametrize(("winner_first", "refused"), [(True, 7), (False, 4)])
def test_who_chooses_first_keeps_the_slot(winner_first: bool, refused: int) -> None:
    """Reports of 2022 differ, so it is a setting: the later one has to choose again."""
    rules = OrderRules(Strategy.PROLOGUE_CHOICE, top_n=3, choices={4: 2, 7: 2}, winner_chooses_first=winner_first)
    with pytest.raises(StartOrderError, match=f"slot 2 is taken .* {refused} has to choose another"):
        numbers(rules)


def test_the_last_of_the_choosers_goes_first_to_the_free_slots_when_the_winner_is_last() -> None:
    rules = OrderRules(Strategy.PROLOGUE_CHOICE, top_n=3, winner_chooses_first=False)
    assert numbers(rules) == [7, 9, 4, 5, 2]


@pytest.mark.parametrize(
    ("choices", "message"), [({2: 1}, "2 is not among the best 3"), ({4: 6}, "4 chooses slot 6, of 5")]
)
def test_choices_without_sense_are_refused(choices: dict[int, int], message: str) -> None:
    with pytest.raises(StartOrderError, match=message):
        numbers(OrderRules(Strategy.PROLOGUE_CHOICE, top_n=3, choices=choices))


def test_behind_the_ranked_come_unranked_not_classified_and_late() -> None:
    """7.1, PGR; withdrawn, retired and disqualified crews do not start."""
    others = [
        Starter("x", 1, "M", late=True, merit=1),
        Starter("y", 3, "M", status="nc", merit=2),
        Starter("z", 20, "M", outcome="dnf"),
        Starter("w", 11, "M", outcome="dns"),
        *[Starter(status, 30, "M", status=status, merit=0) for status in ("withdrawn", "retired", "dsq")],
    ]
    rules = OrderRules(Strategy.PREVIOUS_STAGE)
    assert numbers(rules, [*FIELD, *others]) == [4, 9, 7, 5, 2, 11, 20, 3, 1]
    assert numbers(replace(rules, unranked=Seed.STATUS), [*FIELD, *others])[5:7] == [20, 11]
    assert numbers(replace(rules, unranked=Seed.REVERSE_NUMBER), [*FIELD, *others])[5:7] == [20, 11]


def test_the_order_does_not_depend_on_how_the_field_comes() -> None:
    for strategy in Strategy:
        rules = OrderRules(strategy, top_n=2)
        assert numbers(rules, FIELD) == numbers(rules, FIELD[::-1])
