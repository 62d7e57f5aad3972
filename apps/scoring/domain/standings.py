"""The tables of a classification: scratch, class, group, team; total, clean, start order (rulebook 6.1, 6.3)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from apps.scoring.domain.classification import Line, Rules, TieRule
from apps.scoring.domain.status import Status
from apps.scoring.domain.teams import Team, rank_teams


class By(StrEnum):
    """Who is ranked with whom."""

    SCRATCH = "scratch"
    CLASS = "class"
    GROUP = "group"
    TEAM = "team"


class Basis(StrEnum):
    """The time that ranks: with all penalties, with none, or with those that touch the start order (6.3)."""

    TOTAL = "total"
    CLEAN = "clean"
    START_ORDER = "start_order"


@dataclass(frozen=True, slots=True)
class Table:
    """Which table is wanted; a team is the sum of its best `team_size` members."""

    by: By = By.SCRATCH
    basis: Basis = Basis.TOTAL
    team_size: int = 2

    def __post_init__(self) -> None:
        """Raise ValueError for a team of nobody."""
        if self.team_size < 1:
            raise ValueError(f"team_size: {self.team_size} is less than 1")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, times in ms; `section` is the class, group or team, "" in scratch.

    `ranked_ms` is what the rank is by. `gap_ms` is to the first, `interval_ms` to the one before: None where their
    times do not compare. `clean_ms` is None where a lump stands for a time. `entries` are the members that count, in
    their order; of a team without a rank, all.
    """

    section: str
    rank: int | None
    entries: tuple[str, ...]
    status: Status
    ranked_ms: int | None
    total_ms: int | None
    clean_ms: int | None
    penalty_ms: int
    gap_ms: int | None
    interval_ms: int | None
    completed: int


def standings(lines: Iterable[Line], rules: Rules, table: Table) -> tuple[Row, ...]:
    """The table, section by section in the order of their names, ranked rows first.

    Start orders tell ties apart by race number (6.5). Who has no group or no team is in no such table.
    """
    if table.basis is Basis.START_ORDER:
        rules = replace(rules, tie_rule=TieRule.NUMBER)
    every = list(lines)
    shown = {line.entry: line for line in every}
    ranked = [_on_basis(line, table.basis) for line in every]
    if table.by is By.TEAM:
        teams = rank_teams([line for line in ranked if line.team], rules, table.team_size)
        return tuple(_team_row(team, [shown[line.entry] for line in team.members]) for team in teams)
    sections = _sections(ranked, table.by)
    return tuple(row for name in sorted(sections) for row in _rows(name, sections[name], (rules, shown)))


def _on_basis(line: Line, basis: Basis) -> Line:
    if basis is Basis.TOTAL:
        return line
    return replace(line, total_ms=line.clean_ms if basis is Basis.CLEAN else line.start_order_ms)


def _sections(lines: Iterable[Line], by: By) -> dict[str, list[Line]]:
    sections: dict[str, list[Line]] = {}
    for line in lines:
        name = {By.SCRATCH: "", By.CLASS: line.race_class, By.GROUP: line.group}[by]
        if name or by is By.SCRATCH:
            sections.setdefault(name, []).append(line)
    return sections


def _rows(section: str, lines: Sequence[Line], context: tuple[Rules, dict[str, Line]]) -> Iterator[Row]:
    rules, shown = context
    ordered = sorted(lines, key=rules.order)
    placed = [line for line in ordered if rules.placed(line)]
    ranks = rules.ranks(placed)
    before: dict[str, Line | None] = {b.entry: a for a, b in zip([None, *placed], placed, strict=False)}
    for line in ordered:
        truth = shown[line.entry]
        yield Row(
            section=section,
            rank=ranks.get(line.entry),
            entries=(line.entry,),
            status=line.status,
            ranked_ms=line.total_ms,
            total_ms=truth.total_ms,
            clean_ms=truth.clean_ms,
            penalty_ms=truth.penalty_ms,
            gap_ms=rules.gap(line, placed[0] if placed else None),
            interval_ms=0 if placed and line is placed[0] else rules.gap(line, before.get(line.entry)),
            completed=line.completed,
        )


def _team_row(team: Team, members: Sequence[Line]) -> Row:
    """`members` as they are, whatever the basis."""
    return Row(
        section=team.name,
        rank=team.rank,
        entries=tuple(line.entry for line in members),
        status=team.status,
        ranked_ms=team.total_ms,
        total_ms=_sum(team, [line.total_ms for line in members]),
        clean_ms=_sum(team, [line.clean_ms for line in members]),
        penalty_ms=sum(line.penalty_ms for line in members),
        gap_ms=team.gap_ms,
        interval_ms=team.interval_ms,
        completed=sum(line.completed for line in members),
    )


def _sum(team: Team, times: Sequence[int | None]) -> int | None:
    """Of a ranked team; None where a member has no such time."""
    known = [ms for ms in times if ms is not None]
    return sum(known) if team.rank is not None and len(known) == len(times) else None
