"""Many values in one parameter: whatever way they are sent, PostgreSQL must get those and no others."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.scoring import bulk

TEXTS = st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5))
NUMBERS = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=5)
TRUTHS = st.lists(st.none() | st.booleans(), max_size=5)


@pytest.mark.django_db
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, NUMBERS, TRUTHS)
def test_lists_arrive_as_they_are(texts: list[Any], numbers: list[Any], truths: list[Any]) -> None:
    [row] = bulk.select("select %b::text[], %b::bigint[], %b::bool[]", [texts, numbers, truths])
    assert row == (texts, numbers, truths)


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["null", "NULL", "", " ", "a,b", '"', "\\", "{}", "\n", "ë", "'", "%s"])
def test_words_that_mean_something_in_an_array(word: str) -> None:
    assert bulk.select("select %b::text[]", [[word, "b"]]) == [([word, "b"],)]


def test_what_json_would_change_is_left_to_psycopg() -> None:
    for values in ([1.5, float("nan")], ["a\n"], [], [None, 1]):
        assert bulk.quick(values) is values
    assert bulk.quick(["a", None, "b"]) == '{"a",null,"b"}'
