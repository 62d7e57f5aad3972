"""Start lists (rulebook 7.2, worked example 12)."""

import pytest

from apps.timing.domain.start_order import IntervalBand, inverse_top, start_times

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
