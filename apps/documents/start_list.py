"""The start list of a stage, as a version of it was published."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.documents.paper import Column, Head, Paper, head_of, in_sections, race_control
from apps.timing.models import StartList, StartListState


def start_list(row: StartList) -> Paper:
    """Who starts when, by the frozen rows of this version; blocks apart where there are several."""
    head = head_of(row.stage.event)
    blocks = {line["block"] for line in row.rows}
    draft = row.state == StartListState.DRAFT
    return Paper(
        kind="start-list",
        title=_("Start list"),
        head=head,
        stage=row.stage.name,
        badge=_("draft") if draft else "",
        revision=str(row.version),
        issued=row.published_at or row.created_at,
        columns=_columns(),
        sections=in_sections([(_heading(line, len(blocks)), _row(head, line)) for line in row.rows]),
        facts=tuple(_facts(head, row.rows)),
        notes=(_("Changed because: %(reason)s") % {"reason": row.reason},) if row.reason else (),
        signatures=race_control(),
        hash=row.hash,
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("position", _("Pos."), 6, wraps=False),
        Column("race_number", _("No."), 7, wraps=False, strong=True),
        Column("crew", _("Crew"), 40, strong=True),
        Column("class", _("Class"), 10),
        Column("start", _("Start"), 13, wraps=False, strong=True),
        Column("remark", _("Remark"), 24),
    )


def _heading(line: Mapping[str, Any], blocks: int) -> str:
    return str(line["block"]) if blocks > 1 else ""


def _row(head: Head, line: Mapping[str, Any]) -> tuple[str, ...]:
    start = head.time(line["start_ms"])
    return str(line["position"]), str(line["number"]), line["crew"], line["race_class"], start, line["reason"]


def _facts(head: Head, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    starts = [row["start_ms"] for row in rows]
    if not starts:
        return [(_("Starters"), "0")]
    first, last = min(starts), max(starts)
    return [
        (_("Starters"), str(len(rows))),
        (_("Day of the start"), head.day(first)),
        (_("First start"), head.time(first)),
        (_("Last start"), head.time(last)),
    ]
