"""The list of penalties that goes with a published result."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.accounts.policy import fields
from apps.accounts.rights import AnyUser
from apps.common.said import told
from apps.documents.paper import Column, Paper, duration, in_sections, race_control
from apps.documents.revisions import Frozen, frozen
from apps.penalties.domain.evaluate import EVALUATORS
from apps.penalties.domain.explain import sentences
from apps.penalties.domain.formulas import Issued
from apps.penalties.models import EntryPenalty
from apps.scoring.models import ResultRevision


def penalty_list(row: ResultRevision, user: AnyUser) -> Paper:
    """Every penalty of the revision, waived ones too; what happened is told to those who may read it."""
    seen = frozen(row, user)
    told = "inputs" in fields(user, EntryPenalty, event=row.event)
    lines = sorted(seen.penalties, key=lambda p: (_order(seen, p), seen.entry(p["entry"])["number"], p["type"]))
    return Paper(
        kind="penalty-list",
        title=_("List of penalties"),
        head=seen.head,
        stage=seen.stage,
        badge=row.get_state_display(),
        revision=str(row.number),
        issued=row.created_at,
        columns=_columns(),
        sections=in_sections([(_heading(seen, line), _cells(seen, line, told)) for line in lines]),
        facts=((_("Penalties"), str(len(lines))), *seen.facts()),
        notes=seen.notes(),
        signatures=race_control(),
        hash=row.hash,
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("race_number", _("No."), 6, wraps=False, strong=True),
        Column("crew", _("Crew"), 24, strong=True),
        Column("class", _("Class"), 8),
        Column("offence", _("What happened"), 36),
        Column("article", _("Article"), 14),
        Column("penalty", _("Penalty"), 13, wraps=False, strong=True),
        Column("decision", _("Decision"), 13),
    )


def _order(seen: Frozen, line: Mapping[str, Any]) -> int:
    ids = [stage["id"] for stage in seen.row.snapshot["plan"]["stages"]]
    return ids.index(line["stage"])


def _heading(seen: Frozen, line: Mapping[str, Any]) -> str:
    return str(seen.names["stages"][line["stage"]]) if seen.whole_event else ""


def _cells(seen: Frozen, line: Mapping[str, Any], told: bool) -> tuple[str, ...]:
    entry = seen.entry(line["entry"])
    return (
        str(entry["number"]),
        entry["crew"],
        entry["class"],
        _sentence(seen, line) if told else _title(line),
        line["article"],
        _outcome(line),
        _decision(seen, line),
    )


def _title(line: Mapping[str, Any]) -> str:
    evaluator = EVALUATORS.get(line["type"])
    return _(evaluator.title) if evaluator else str(line["type"])


def _sentence(seen: Frozen, line: Mapping[str, Any]) -> str:
    issued = Issued("", line["type"], line["target"], line["ms"], line["inputs"], status=line["status"])
    return told(sentences(issued, seen.head.clock, seen.row.snapshot["plan"]["names"])[0], _)


def _outcome(line: Mapping[str, Any]) -> str:
    if line["waived"]:
        return _("waived")
    return " ".join(filter(None, [duration(line["ms"] or None), line["status"].upper()]))


def _decision(seen: Frozen, line: Mapping[str, Any]) -> str:
    numbers = {one["id"]: one["number"] for one in seen.row.snapshot["inputs"]["decisions"]}
    held = numbers.get(line["decision"])
    return "" if held is None else _("No. %(number)d") % {"number": held}
