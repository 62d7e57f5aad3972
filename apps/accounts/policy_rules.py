"""The table of `policy_table`, read into rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from apps.accounts import policy_table as table

ACTIONS = {"v": "view", "a": "add", "c": "change", "d": "delete"}
CELL = re.compile(r"(?:[vacdx][!+*^~]?)+|\.")
TOKEN = re.compile(r"([vacdx])([!+*^~]?)")

Rule = Mapping[str, str]  # role -> condition mark, "" = none; a role that is missing may not


@dataclass(frozen=True, slots=True)
class Rules:
    """What `table` says, by (resource, action) and by act."""

    resources: dict[tuple[str, str], dict[str, str]]
    acts: dict[str, dict[str, str]]

    def of(self, resource: str, action: str) -> Rule:
        """The rule of an action on a resource. An act is the same whatever row it is asked of.

        Raises LookupError for a resource or action the table does not have: nothing is allowed by oversight.
        """
        if action in self.acts:
            return self.acts[action]
        if resource not in table.SCOPES or action not in ACTIONS.values():
            raise LookupError(f"apps/accounts/policy_table.py says nothing about {action!r} on {resource!r}")
        return self.resources.get((resource, action), {})


def read(resources: str, acts: str) -> Rules:
    """Raises ValueError, naming line and cell, for a table that is not well formed."""
    by_resource: dict[tuple[str, str], dict[str, str]] = {}
    for name, role, letter, mark in _tokens(resources):
        by_resource.setdefault((name, ACTIONS[letter]), {})[role] = mark
    by_act: dict[str, dict[str, str]] = {name: {} for name, *_cells in _lines(acts)[1:]}
    for name, role, _letter, mark in _tokens(acts):
        by_act[name][role] = mark
    return Rules(by_resource, by_act)


def _tokens(grid: str) -> list[tuple[str, str, str, str]]:
    """(row, role, letter, mark) of every action in every cell."""
    head, *lines = _lines(grid)
    return [
        (line[0], role, letter, mark)
        for line in lines
        for role, cell in zip(head[1:], line[1:], strict=True)
        for letter, mark in TOKEN.findall(_checked(line[0], cell))
    ]


def _lines(grid: str) -> list[list[str]]:
    return [line.split() for line in grid.strip().splitlines()]


def _checked(row: str, cell: str) -> str:
    if not CELL.fullmatch(cell):
        raise ValueError(f"policy table, row {row}: {cell!r} is no cell")
    return cell


RULES = read(table.RESOURCES, table.ACTS)

LEVELS = ("public", "internal", "personal")


@cache
def readable(resource: str, level: str, names: frozenset[str]) -> frozenset[str]:
    """Of the field `names` of a resource, those that `level` reads."""
    names -= words(table.SECRET, resource)
    if level == "public":
        return names & words(table.PUBLIC, resource)
    return names if level == "personal" else names - words(table.PERSONAL, resource)


def words(lists: Mapping[str, str], resource: str) -> frozenset[str]:
    return frozenset(lists.get(resource, "").split())
