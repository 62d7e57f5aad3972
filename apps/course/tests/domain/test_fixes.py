"""Which fixes count, and in which order."""

import numpy as np

from apps.course.domain.fixes import Fixes


def test_what_does_not_count_is_left_out() -> None:
    """Out of range, at (0, 0), or not usable (design §4)."""
    fixes = Fixes.build(
        0, range(6), [41, 91, 0, 41, -91, 41], [20, 20, 0, 181, 20, 20], usable=[True, True, True, True, True, False]
    )
    assert fixes.ts.tolist() == [0]


def test_rows_are_sorted_by_device_and_time_and_the_first_of_two_kept() -> None:
    fixes = Fixes.build([1, 0, 1, 1], [5, 9, 4, 5], [41, 42, 43, 44], [20] * 4)
    assert list(zip(fixes.device.tolist(), fixes.ts.tolist(), fixes.lat.tolist(), strict=True)) == [
        (0, 9, 42), (1, 4, 43), (1, 5, 41),
    ]  # fmt: skip
    assert fixes.codes() == [0, 1]
    assert fixes.of_device(1).ts.tolist() == [4, 5]
    assert fixes.between(5, 9).ts.tolist() == [9, 5]


def test_speed_is_unknown_unless_given() -> None:
    assert np.isnan(Fixes.build(0, [1], [41], [20]).speed).all()
