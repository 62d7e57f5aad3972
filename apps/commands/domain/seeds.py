"""The makers' published commands: one CSV file a maker, a row a command, for families of models."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from apps.catalog.domain.seeds import FAMILIES, SeedError

COLUMNS = ("pattern", "roles", "families", "description")


@dataclass(frozen=True, slots=True)
class Seed:
    """A command that may be sent: the regular expression of its text, by which roles, to which models."""

    pattern: str
    roles: tuple[str, ...]
    models: tuple[str, ...]
    description: str


def parse(text: str, roles: frozenset[str]) -> list[Seed]:
    """The rows of a seed file; lines that begin with # say where the facts come from.

    Raises SeedError naming the pattern and what is wrong with its row; `roles` are those there are.
    """
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise SeedError(f"the columns must be {','.join(COLUMNS)}")
    return [_seed(row, roles) for row in rows]


def _seed(row: Mapping[str | None, str | None], roles: frozenset[str]) -> Seed:
    if None in row or None in row.values():
        raise SeedError(f"{row.get('pattern')}: {len(COLUMNS)} columns are needed")
    values = {str(column): str(value) for column, value in row.items()}
    faults = ", ".join(_faults(values, roles))
    if faults:
        raise SeedError(f"{values['pattern']}: {faults}")
    models = tuple(model for family in values["families"].split() for model in FAMILIES[family])
    return Seed(values["pattern"], tuple(values["roles"].split()), models, values["description"])


def _faults(values: Mapping[str, str], roles: frozenset[str]) -> Iterator[str]:
    try:
        re.compile(values["pattern"])
    except re.error as error:
        yield f"pattern: {error}"
    for column, known in (("roles", roles), ("families", frozenset(FAMILIES))):
        named = set(values[column].split())
        if not named or named - known:
            yield f"{column}: {values[column]!r} is none of {', '.join(sorted(known))}"
