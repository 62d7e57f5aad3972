"""Blocks, overrides, and lists published before (rulebook 7.1, 7.2)."""

from dataclasses import replace

import pytest

from apps.timing.domain.start_list import Block, Changes, Override, Published, Slot, start_list
from apps.timing.domain.start_order import IntervalBand, OrderRules, Starter, StartOrderError, Strategy

MINUTE = 60_000
SINGLY = (IntervalBand(1, MINUTE),)
MOTO = Block("moto", frozenset({"M"}), OrderRules(), SINGLY, gap_ms=30 * MINUTE)
QUAD = Block("quad", frozenset({"Q"}), OrderRules(), SINGLY, gap_ms=5 * MINUTE)
CAR = Block("car", frozenset({"C"}), OrderRules(), (IntervalBand(1, 2 * MINUTE),), gap_ms=0)


def field(numbers: range, race_class: str = "M") -> list[Starter]:
    return [Starter(f"e{n}", n, race_class) for n in numbers]


def minutes(slots: list[Slot]) -> dict[str, float]:
    return {slot.entry: slot.start_ts / MINUTE for slot in slots}


def moto(overrides: list[Override], published: list[Published] | None = None, count: int = 5) -> dict[str, float]:
    changes = Changes({o.entry: o for o in overrides}, {p.slot.entry: p for p in published or []})
    return minutes(start_list(field(range(1, count + 1)), 0, [MOTO], changes))


def was(entry: str, slot: int, *, started: bool = False, by_hand: bool = False) -> Published:
    ts = (slot - 1) * MINUTE
    return Published(Slot(entry, "moto", slot, ts, ts), started, by_hand)


def test_a_block_begins_its_gap_after_the_last_start_before_it() -> None:
    """7.1: groups start in blocks."""
    starters = [*field(range(301, 303), "C"), *field(range(1, 4)), *field(range(101, 103), "Q")]
    slots = start_list(starters, 0, [MOTO, QUAD, CAR], Changes())
    assert minutes(slots) == {"e1": 0, "e2": 1, "e3": 2, "e101": 32, "e102": 33, "e301": 38, "e302": 40}


def test_an_empty_block_keeps_the_longer_gap_open() -> None:
    """Without quads there is still half an hour between the last motorcycle and the first car."""
    slots = start_list([*field(range(1, 3)), *field(range(301, 302), "C")], 0, [MOTO, QUAD, CAR], Changes())
    assert minutes(slots) == {"e1": 0, "e2": 1, "e301": 31}


def test_a_block_may_have_a_first_start_of_its_own() -> None:
    car = replace(CAR, first_ts=90 * MINUTE)
    slots = start_list([*field(range(1, 3)), *field(range(301, 303), "C")], 0, [MOTO, car], Changes())
    assert minutes(slots)["e302"] == 92


def test_pairs_and_bands_count_within_the_block() -> None:
    car = replace(CAR, bands=(IntervalBand(1, 2 * MINUTE), IntervalBand(3, MINUTE, together=2)))
    slots = start_list([*field(range(1, 4)), *field(range(301, 307), "C")], 0, [MOTO, car], Changes())
    assert [slot.start_ts / MINUTE for slot in slots[3:]] == [32, 34, 35, 35, 36, 36]


def test_a_position_given_by_an_official_is_exact() -> None:
    """Repositioning: the faster crew goes forward, the others close up."""
    assert list(moto([Override("e5", position=2)])) == ["e1", "e5", "e2", "e3", "e4"]
    assert list(moto([Override("e1", position=4), Override("e5", position=1)])) == ["e5", "e2", "e3", "e1", "e4"]


def test_after_another_entry_follows_it_wherever_it_goes() -> None:
    overrides = [Override("e1", after="e4"), Override("e4", position=2), Override("e5", after="e1")]
    assert list(moto(overrides)) == ["e2", "e4", "e1", "e5", "e3"]


def test_after_an_entry_of_another_block_changes_the_block() -> None:
    starters = [*field(range(1, 3)), *field(range(301, 303), "C")]
    changes = Changes({"e301": Override("e301", after="e1")})
    assert minutes(start_list(starters, 0, [MOTO, CAR], changes)) == {"e1": 0, "e301": 1, "e2": 2, "e302": 32}


def test_an_exact_time_moves_nobody_else() -> None:
    """Its slot stays empty; the list is in order of start."""
    found = moto([Override("e2", start_ts=10 * MINUTE)])
    assert found == {"e1": 0, "e3": 2, "e4": 3, "e5": 4, "e2": 10} and list(found)[-1] == "e2"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([Override("e1", position=3), Override("e2", position=3)], "2 and 1 are both to start at position 3"),
        ([Override("e1", position=6)], "1 is to start at position 6 of 5"),
        ([Override("e1", after="e9")], "1 is to start after e9, who does not start"),
        ([Override("e1", after="e3"), Override("e2", after="e3")], "1 and 2 are both to start directly after 3"),
        ([Override("e1", after="e2"), Override("e2", after="e1")], "circle: 1, 2"),
        (
            [Override("e1", position=1), Override("e2", after="e1"), Override("e3", position=2)],
            "2 and 3 are both to start at position 2",
        ),
        ([Override("e1", after="e2"), Override("e5", position=2)], "1 is to start after 2, but 5 is given the place"),
    ],
)
def test_overrides_that_contradict_are_named(overrides: list[Override], message: str) -> None:
    with pytest.raises(StartOrderError, match=message):
        moto(overrides)


def test_who_has_started_stays_and_the_rest_fill_the_slots_behind() -> None:
    """Nobody is given a start that lies before the last one who has started, not even in a slot left empty."""
    published = [was("e5", 1, started=True), was("e1", 3, started=True), was("e2", 4), was("e3", 5)]
    assert moto([], published) == {"e5": 0, "e1": 2, "e2": 3, "e3": 4, "e4": 5}


def test_who_is_due_before_the_last_started_is_moved_by_an_override_alone() -> None:
    """Its start may only not be on record: a new time would change its stage time."""
    published = [was("e5", 1), was("e1", 2, started=True)]
    assert moto([], published)["e5"] == 0
    assert moto([Override("e5", after="e4")], published) == {"e1": 1, "e2": 2, "e3": 3, "e4": 4, "e5": 5}


def test_the_first_start_of_a_block_stays_once_somebody_has_started() -> None:
    """A motorcycle that withdraws does not move the cars on the road."""
    starters = [*field(range(1, 2)), *field(range(301, 304), "C")]
    on_road = Slot("e301", "car", 1, 50 * MINUTE, 50 * MINUTE)
    slots = start_list(starters, 0, [MOTO, CAR], Changes({}, {"e301": Published(on_road, started=True)}))
    assert minutes(slots) == {"e1": 0, "e301": 50, "e302": 52, "e303": 54}


def test_a_start_set_by_hand_stays_until_an_override() -> None:
    by_hand = Published(Slot("e5", "moto", 2, MINUTE, 7 * MINUTE), by_hand=True)
    assert moto([], [by_hand]) == {"e1": 0, "e2": 2, "e3": 3, "e4": 4, "e5": 7}
    assert moto([Override("e5", position=1)], [by_hand])["e5"] == 0


def test_who_was_seen_at_the_start_is_moved_by_an_override_alone() -> None:
    """A tracker in the start's circle is no proof that the crew has gone."""
    seen = Published(Slot("e5", "moto", 2, MINUTE, MINUTE), seen=True)
    assert moto([], [seen]) == {"e5": 1, "e1": 2, "e2": 3, "e3": 4, "e4": 5}
    assert moto([Override("e5", after="e4")], [seen])["e5"] == 6


def test_an_override_on_who_has_started_is_spent() -> None:
    assert moto([Override("e1", position=4)], [was("e1", 1, started=True)])["e1"] == 0


def test_a_place_behind_who_started_last_does_not_bend_the_list() -> None:
    """The late crew after the last of its block (PGR), who has started: a slot of its own follows."""
    published = [was(f"e{n}", n, started=n != 2) for n in range(1, 6)]
    assert moto([Override("e2", after="e5")], published) == {"e1": 0, "e3": 2, "e4": 3, "e5": 4, "e2": 5}


def test_each_block_ranks_for_itself() -> None:
    rules = OrderRules(Strategy.INVERSE_TOP_N_THEN_NATURAL, top_n=2)
    blocks = [replace(MOTO, rules=rules), replace(CAR, rules=replace(rules, top_n=1))]
    starters = [replace(s, merit=s.number) for s in [*field(range(1, 4)), *field(range(301, 303), "C")]]
    assert [s.entry for s in start_list(starters, 0, blocks, Changes())] == ["e2", "e1", "e3", "e301", "e302"]
