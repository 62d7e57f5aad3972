"""Many values in one parameter: whatever way they are sent, PostgreSQL must get those and no others."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.penalties.factories import EntryPenaltyFactory
from apps.penalties.models import EntryPenalty
from apps.scoring import bulk

TEXTS = st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5))
NUMBERS = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=5)
TRUTHS = st.lists(st.none() | st.booleans(), max_size=5)
FLOATS = st.lists(st.none() | st.floats(allow_nan=False), max_size=5)
UUIDS = st.lists(st.none() | st.uuids(), max_size=5)


@pytest.mark.django_db
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(TEXTS, NUMBERS, TRUTHS, FLOATS, UUIDS))
def test_lists_arrive_as_they_are(lists: tuple[list[Any], ...]) -> None:
    [row] = bulk.select("select %s::text[], %s::bigint[], %s::bool[], %s::float8[], %s::uuid[]", lists)
    assert row == lists


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["null", "NULL", "", " ", "a,b", '"', "\\", "{}", "\n", "ë", "'", "%s"])
def test_words_that_mean_something_in_an_array(word: str) -> None:
    assert bulk.select("select %b::text[]", [[word, "b"]]) == [([word, "b"],)]


def test_what_json_would_change_is_left_to_psycopg() -> None:
    for values in ([1.5, float("nan")], ["a\n"], [float("inf"), None], [[1]], [Decimal(1)]):
        assert bulk.quick(values) is values
    assert bulk.quick(["a", None, '"b']) == '{"a",null,"\\"b"}'


@pytest.mark.django_db
def test_rows_are_stored_as_django_stores_them() -> None:
    """One by the ORM, one in bulk: the database must give back the same of both."""
    given = {
        "key": "k",
        "inputs": {"ë": ['a"b\\c\n', 1.5, None]},
        "seconds": Decimal("60.125"),
        "applies_to": ["stage"],
    }
    one = EntryPenaltyFactory.create(**given)
    bulk.insert_rows([EntryPenalty(**given | {"key": "other"}, entry=one.entry, stage=one.stage, type=one.type)])
    by_django, in_bulk = map(dict, EntryPenalty.objects.order_by("key").values())
    told = set(by_django) - {"id", "key", "created_at", "updated_at"}
    assert {name: in_bulk[name] for name in told} == {name: by_django[name] for name in told}
    assert EntryPenalty.objects.filter(key="other", created_at__gte=one.created_at).exists()


@pytest.mark.django_db
def test_a_row_that_is_there_gets_the_renewed_fields_alone() -> None:
    held = EntryPenaltyFactory.create(type="old", article="old")
    again = EntryPenalty(
        entry=held.entry, stage=held.stage, key=held.key, type="new", article="new", seconds=1, applies_to=[]
    )
    bulk.insert_rows([again], once=("entry", "stage", "key"), renewed=("type", "applies_to"))
    [stored] = EntryPenalty.objects.all()
    assert (stored.pk, stored.type, stored.article, stored.applies_to) == (held.pk, "new", "old", [])


@pytest.mark.django_db
def test_what_is_too_long_is_refused_not_cut() -> None:
    held = EntryPenaltyFactory.create()
    for write in (lambda: bulk.insert_rows([held]), lambda: bulk.update_rows([held], ["article"])):
        held.article = "a" * 201
        with pytest.raises(psycopg.errors.StringDataRightTruncation), transaction.atomic():
            write()
