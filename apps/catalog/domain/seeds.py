"""The makers' published IO tables: one CSV file a maker, a row an IO element, for families of models."""

import csv
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from apps.catalog.domain.io import SCALED, Element, ValueType

COLUMNS = ("io_id", "name", "kind", "unit", "value_type", "scale", "families")

# The models whose pages of the maker's wiki give the elements of the family with the same meaning.
FAMILIES = {
    "FMB003": ("FMB001", "FMB002", "FMB003", "FMC001", "FMC003", "FMM001", "FMM003"),
    "FMB920": ("FMB900", "FMB910", "FMB920", "FMC920", "FMM920"),
    "FMC130": ("FMB130", "FMC130", "FMM130", "FMU130"),
}


class SeedError(ValueError):
    """A seed file is wrong; the message names its line, the column and the reason."""


@dataclass(frozen=True, slots=True)
class Seed:
    """One IO element as it is published, and the models it is published for."""

    element: Element
    unit: str
    models: tuple[str, ...]


def parse(text: str) -> list[Seed]:
    """The rows of a seed file; lines that begin with # say where the facts come from.

    Raises SeedError for an unknown column or word, and for rows that are not in ascending order of IO id.
    """
    numbered = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line and not line.startswith("#")]
    rows = csv.DictReader(line for _, line in numbered)
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise SeedError(f"the columns must be {','.join(COLUMNS)}")
    seeds = [_seed(row, line) for row, (line, _) in zip(rows, numbered[1:], strict=True)]
    _check_order(seeds)
    _check_kinds(seeds)
    return seeds


def _seed(row: Mapping[str | None, str | None], line: int) -> Seed:
    if None in row or None in row.values():
        raise SeedError(f"line {line}: {len(COLUMNS)} columns are needed")
    values = {str(column): str(value) for column, value in row.items()}
    for column, words in (("io_id", r"[0-9]{1,5}"), ("name", r".+"), ("kind", r"[a-z][a-z0-9_]*")):
        if not re.fullmatch(words, values[column]):
            raise SeedError(f"line {line}, {column}: {values[column]!r} does not match {words}")
    return Seed(_element(values, line), values["unit"], tuple(_models(values["families"], line)))


def _element(values: Mapping[str, str], line: int) -> Element:
    if values["value_type"] not in set(ValueType):
        raise SeedError(f"line {line}, value_type: {values['value_type']!r} is none of {', '.join(ValueType)}")
    try:
        scale = float(values["scale"])
    except ValueError as error:
        raise SeedError(f"line {line}, scale: {values['scale']!r} is no number") from error
    if scale == 0 or not math.isfinite(scale):
        raise SeedError(f"line {line}, scale: 0 and what is not finite make no value")
    if scale != 1 and values["value_type"] not in SCALED:
        raise SeedError(f"line {line}, scale: a {values['value_type']} has none")
    return Element(values["io_id"], values["name"], values["kind"], values["value_type"], scale)


def _models(families: str, line: int) -> Iterator[str]:
    for family in families.split():
        if family not in FAMILIES:
            raise SeedError(f"line {line}, families: {family!r} is none of {', '.join(FAMILIES)}")
        yield from FAMILIES[family]


def _check_order(seeds: list[Seed]) -> None:
    for before, after in zip(seeds, seeds[1:], strict=False):
        if int(before.element.io_id) >= int(after.element.io_id):
            raise SeedError(f"io_id: {after.element.io_id} follows {before.element.io_id}; the order is ascending")


def _check_kinds(seeds: list[Seed]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for seed in seeds:
        for model in seed.models:
            other = seen.setdefault((model, seed.element.kind), seed.element.io_id)
            if other != seed.element.io_id:
                raise SeedError(f"kind: {seed.element.kind} is both IO {other} and IO {seed.element.io_id} of {model}")
