"""Whole units priced by a table (rulebook 3.5, 3.6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.penalties.domain.brackets import NO_BRACKET, marginal, price_units
from apps.penalties.domain.formulas import Formula, applicable, bracket


@st.composite
def tables(draw: st.DrawFn, mode: str = "marginal") -> list[Formula]:
    """Up to five rows with brackets of any kind: overlapping, with holes, open above."""
    rows = []
    for i in range(draw(st.integers(1, 5))):
        low = draw(st.integers(0, 30))
        high = draw(st.none() | st.integers(low, 40))
        rows.append(
            Formula(f"r{i}", "x", offence_min=low, offence_max=high, penalty_ms=draw(st.integers(0, 9999)), mode=mode)
        )
    return applicable(rows, "", "")


@given(tables(), st.integers(1, 60))
def test_marginal_is_the_sum_over_single_units(table: list[Formula], count: int) -> None:
    """The short way over edges gives what pricing each unit by its own bracket gives."""
    rows = [bracket(table, unit) for unit in range(1, count + 1)]
    assert marginal(table, count, "km/h")[0] == sum(row.penalty_ms for row in rows if row)


def test_marginal_of_a_huge_count_is_quick() -> None:
    """A start assigned in the wrong year must not stop the scorer."""
    assert marginal([Formula("r", "x", penalty_ms=1)], 10**9, "s")[0] == 10**9


@pytest.mark.parametrize(("count", "ms"), [(4, None), (5, 100), (10, 100), (11, 0), (20, 200)])
def test_flat_brackets_and_their_holes(count: int, ms: int | None) -> None:
    """Below the table nothing, in a hole 0 and a review."""
    table = [
        Formula("a", "x", offence_min=5, offence_max=10, penalty_ms=100),
        Formula("b", "x", offence_min=20, penalty_ms=200),
    ]
    priced = price_units(table, count, "min")
    assert (priced.ms if priced else None) == ms
    assert (priced is not None and priced.review == (NO_BRACKET,)) == (ms == 0)


def test_an_unknown_mode_is_refused() -> None:
    """Pulses mean nothing to minutes."""
    with pytest.raises(ValueError, match="unknown bracket mode 'whole'"):
        price_units([Formula("a", "x", mode="whole")], 3, "min")
