"""Classifications as papers: scratch, by class and of teams, from a published revision."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from apps.accounts.rights import AnyUser
from apps.documents.paper import Cells, Column, Paper, Section, duration, in_sections, number, race_control
from apps.documents.revisions import Frozen, frozen
from apps.scoring.domain.classification import Line, Rules, TieRule
from apps.scoring.domain.standings import By, Table, standings
from apps.scoring.domain.status import Status
from apps.scoring.domain.teams import rank_teams
from apps.scoring.models import ResultRevision, ResultStatus

_LETTERS = frozenset({"dnf", "dns", "otl", "nc", "dsq"})


def scratch(row: ResultRevision, user: AnyUser) -> Paper:
    """All classes in one table, in the order of the revision."""
    seen = frozen(row, user)
    rows = tuple(_cells(seen, line, (line["rank"], line["gap_ms"])) for line in seen.results)
    return _paper(seen, "classification", "", (Section("", rows),))


def by_class(row: ResultRevision, user: AnyUser) -> Paper:
    """A table for each class, in the order of the classes' codes."""
    seen = frozen(row, user)
    lines = {line["entry"]: line for line in seen.results}
    ranked = standings(_lines(seen), _rules(seen), Table(By.CLASS))
    titles = {id: f"{code} {name}" for id, (code, name) in seen.names["classes"].items()}
    told = [(titles.get(r.section, r.section), r, lines[r.entries[0]]) for r in ranked]
    told.sort(key=lambda one: one[0])  # stable: within a class the ranking stays
    rows = [(title, _cells(seen, line, (line["class_rank"], r.gap_ms))) for title, r, line in told]
    return _paper(seen, "classification-by-class", _("by class"), in_sections(rows))


def teams(row: ResultRevision, user: AnyUser) -> Paper:
    """Teams by the sum of their best members; those with too few ranked members come last, without a rank."""
    seen = frozen(row, user)
    size = _team_size(seen)
    found = rank_teams([line for line in _lines(seen) if line.team], _rules(seen), size)
    rows = tuple(
        (
            number(team.rank),
            team.name,
            _members(seen, team.members),
            duration(team.total_ms),
            duration(team.gap_ms or None),
        )
        for team in found
    )
    paper = _paper(seen, "classification-of-teams", _("teams"), (Section("", rows),))
    note = _("A team counts the sum of its best %(count)d members.") % {"count": size}
    return replace(paper, columns=_team_columns(), notes=(*paper.notes, note))


def _paper(seen: Frozen, kind: str, table: str, sections: tuple[Section, ...]) -> Paper:
    title = _titles()[seen.row.state]
    return Paper(
        kind=kind,
        title=f"{title}, {table}" if table else title,
        head=seen.head,
        stage=seen.stage,
        badge=seen.row.get_state_display(),
        revision=str(seen.row.number),
        issued=seen.row.created_at,
        columns=_columns(seen),
        sections=sections,
        facts=seen.facts(),
        notes=seen.notes(),
        signatures=race_control(),
        hash=seen.row.hash,
    )


def _titles() -> Mapping[str, str]:
    return {
        "unofficial": _("Unofficial classification"),
        "provisional": _("Provisional classification"),
        "official": _("Official classification"),
        "amended": _("Amended classification"),
    }


def _columns(seen: Frozen) -> tuple[Column, ...]:
    stages = (Column("stages", _("St."), 5, wraps=False),) if seen.whole_event else ()
    return (
        Column("rank", _("Rank"), 7.5, wraps=False, strong=True),
        Column("race_number", _("No."), 6.5, wraps=False, strong=True),
        Column("crew", _("Crew"), 31, strong=True),
        Column("nationality", _("Nat."), 9),
        Column("vehicle", _("Vehicle"), 15),
        Column("class", _("Class"), 8.5),
        *stages,
        Column("time", _("Time"), 14, wraps=False),
        Column("penalties", _("Penalties"), 14, wraps=False),
        Column("total", _("Total"), 15, wraps=False, strong=True),
        Column("gap", _("Gap"), 14, wraps=False),
        Column("status", _("Status"), 10),
    )


def _team_columns() -> tuple[Column, ...]:
    return (
        Column("rank", _("Rank"), 8, wraps=False, strong=True),
        Column("team", _("Team"), 28, strong=True),
        Column("members", _("Members that count"), 44),
        Column("total", _("Total"), 14, wraps=False, strong=True),
        Column("gap", _("Gap"), 12, wraps=False),
    )


def _cells(seen: Frozen, line: Mapping[str, Any], place: tuple[int | None, int | None]) -> Cells:
    rank, gap_ms = place
    entry, total_ms = seen.entry(line["entry"]), line["total_ms"]
    stages = (str(line["completed"]),) if seen.whole_event else ()
    return (
        number(rank),
        str(line["number"]),
        entry["crew"],
        entry["nations"],
        entry["vehicle"],
        entry["class"],
        *stages,
        duration(None if total_ms is None else total_ms - line["penalty_ms"]),
        duration(line["penalty_ms"] or None),
        duration(total_ms),
        duration(gap_ms or None),
        _status(line["status"]),
    )


def _status(status: str) -> str:
    """Said only where it is not what everybody on the list has done; the words of the sport by their letters."""
    if status in _LETTERS:
        return status.upper()
    return "" if status == ResultStatus.FINISHED else str(ResultStatus(status).label)


def _members(seen: Frozen, members: Sequence[Line]) -> str:
    return ", ".join(f"{line.race_number} {seen.entry(line.entry)['crew']}".strip() for line in members)


def _lines(seen: Frozen) -> Iterator[Line]:
    """The lines as they were ranked, of the special-stage times those that decide ties first."""
    for line in seen.results:
        yield Line(
            entry=line["entry"],
            race_number=line["number"],
            race_class=line["class"],
            status=Status(line["status"]),
            total_ms=line["total_ms"],
            splits=tuple(line["splits"]),
            complete=line.get("complete", True),
            team=line["team"],
            completed=line["completed"],
            group=line.get("group", ""),
            lumped=line.get("lumped", False),
            penalty_ms=line["penalty_ms"],
        )


def _rules(seen: Frozen) -> Rules:
    plan = seen.row.snapshot.get("plan", {})
    return Rules(TieRule(plan.get("tie_rule", "last_ss_backwards")), plan.get("complete_first", False))


def _team_size(seen: Frozen) -> int:
    """As the revision froze it; older ones could not say and counted two."""
    size: int = seen.row.snapshot.get("plan", {}).get("team_size", Table().team_size)
    return size
