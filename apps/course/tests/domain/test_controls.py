"""What a control cannot be, and that the reason is said."""

from collections.abc import Callable

import pytest

from apps.course.domain.controls import Control
from apps.course.domain.crossings import Course


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Control.circle("x", 41, 20, 0), "radius above 0"),
        (lambda: Control.circle("x", 41, 20, float("nan")), "radius above 0"),
        (lambda: Control.circle("x", 91, 20, 30), "not on Earth"),
        (lambda: Control.gate("x", (41, 20), (41, 20)), "two different points"),
        (lambda: Control.gate("x", (41, 20), (41, 21), 361), "bearing"),
        (lambda: Control.polygon("x", ((41, 20), (41, 21), (41, 20))), "three different points"),
        (
            lambda: Course([Control.polygon("x", ((0, 0), (1, 1), (1, 0), (0, 1), (0, 0)))]),
            "x: the polygon is not valid",
        ),
    ],
)
def test_what_cannot_be(make: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make()
