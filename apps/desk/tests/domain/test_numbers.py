"""Race numbers as typed: lists and ranges, and what is none is named."""

import pytest

from apps.desk.domain.numbers import read_numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("301", [301]),
        ("301, 305-307", [301, 305, 306, 307]),
        ("305 - 306;301 305", [305, 306, 301]),
        ("1–3", [1, 2, 3]),
        ("", []),
    ],
)
def test_numbers_and_ranges(text: str, expected: list[int]) -> None:
    assert read_numbers(text) == expected


@pytest.mark.parametrize(
    ("text", "part"), [("3o1", "3o1"), ("301-", "301-"), ("310-305", "310-305"), ("1-1001", "1-1001")]
)
def test_what_is_no_number_is_named(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        read_numbers(text)
