"""Whole units of an offence (minutes late, km/h over, n-th occurrence) priced by a table of brackets (rulebook 3.5)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from apps.penalties.domain.formulas import Formula, Issued, bracket, clock

NO_BRACKET = "no bracket for this excess"
UNIT_MODES = frozenset({"flat_max", "marginal"})

Table = Sequence[Formula]


@dataclass(frozen=True, slots=True)
class Priced:
    """What a table makes of an offence; `review` says what calls for a look."""

    formula: Formula
    ms: int
    arithmetic: str = ""
    review: tuple[str, ...] = ()


def price_units(table: Table, count: int, unit: str) -> Priced | None:
    """Price `count` whole units by the mode of the row that holds them; None below the lowest bracket.

    Above the highest bracket, or in a hole of the table, the price is 0 and an official must look. ValueError for
    a mode that is none of UNIT_MODES.
    """
    if not table or count < table[0].offence_min:
        return None
    row = bracket(table, count)
    if row is None:
        return Priced(table[0], 0, f"{count} {unit}", (NO_BRACKET,))
    if row.mode not in UNIT_MODES:
        raise ValueError(f"unknown bracket mode {row.mode!r}: one of {', '.join(sorted(UNIT_MODES))}")
    if row.mode == "marginal":
        ms, words = marginal(table, count, unit)
        return Priced(row, ms, f"{words} = {clock(ms)}")
    return Priced(row, row.penalty_ms, f"bracket of {count} {unit} = {clock(row.penalty_ms)}")


def marginal(table: Table, count: int, unit: str) -> tuple[int, str]:
    """(ms, words): each of the units 1..count priced by its own bracket, like income tax."""
    shares = [(units, rate) for units, rate in _shares(table, count) if units]
    return sum(units * rate for units, rate in shares), " + ".join(f"{n} {unit} × {clock(rate)}" for n, rate in shares)


def _shares(table: Table, count: int) -> Iterator[tuple[int, int]]:
    """Stretches of units with one rate (ms): the price can only change at the edges of brackets."""
    first = 1
    for edge in sorted({count + 1, *_edges(table)}):
        if first < edge <= count + 1:
            row = bracket(table, first)
            yield edge - first, row.penalty_ms if row else 0
            first = edge


def _edges(table: Table) -> Iterator[int]:
    """The first whole unit of each bracket, and the first beyond it."""
    for row in table:
        yield ceil(row.offence_min)
        if row.offence_max is not None:
            yield floor(row.offence_max) + 1


def issue(priced: Priced, target: str, inputs: Mapping[str, Any]) -> Issued:
    """The penalty of a priced offence; its formula, arithmetic and reviews are kept with the inputs."""
    formula = priced.formula
    kept = {**inputs, "mode": formula.mode, "arithmetic": priced.arithmetic, "review": list(priced.review)}
    return Issued(formula.id, formula.type, target, priced.ms, kept, formula.applies_to, formula.article)


def flat(formula: Formula, words: str) -> Priced:
    """The formula's own value, whatever the size of the offence."""
    return Priced(formula, formula.penalty_ms, f"{words}: {clock(formula.penalty_ms)}")
