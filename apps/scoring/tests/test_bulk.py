"""Rows written in one statement are what Django would have written."""

import pytest

from apps.scoring.bulk import update_rows
from apps.scoring.factories import StageResultFactory
from apps.scoring.models import StageResult

pytestmark = pytest.mark.django_db

FIELDS = ["status", "time_ms", "total_ms", "rank", "splits", "outcome", "last_control"]


def test_every_kind_of_value_is_written() -> None:
    """Text with quotes, null, a list, an object, nothing at all; and only the rows and fields named."""
    one, two, other = StageResultFactory(), StageResultFactory(), StageResultFactory(rank=7)
    one.status, one.time_ms, one.total_ms, one.rank = "finished", 3_600_000, None, 1
    one.splits, one.outcome, one.last_control = [1, None, 2], {"a": {"b": ["'", '"', "{"]}}, "WPM \\ 'ë', {1}"
    two.splits, two.outcome, two.penalty_ms = [], {}, 99
    update_rows([one, two], FIELDS)
    for row in (one, two):
        stored = StageResult.objects.get(pk=row.pk)
        assert {name: getattr(stored, name) for name in FIELDS} == {name: getattr(row, name) for name in FIELDS}
    assert StageResult.objects.get(pk=two.pk).penalty_ms != 99
    assert StageResult.objects.get(pk=other.pk).rank == 7


def test_no_rows_are_no_statement(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        update_rows([], FIELDS)
