"""The sheet of a decision: numbered, with facts, article, decision and signatures (rulebook 8.5)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.course.models import Segment
from apps.documents.paper import Column, Head, Paper, Section, duration, head_of, sealed
from apps.penalties.domain.evaluate import EVALUATORS
from apps.penalties.models import Decision
from apps.scoring.models import ResultStatus
from apps.scoring.plans import event_plan
from apps.scoring.printed import crew_of, with_names

Item = tuple[str, str]


def decision_sheet(row: Decision, now: datetime) -> Paper:
    """One decision, in force or revoked; it says which."""
    head = head_of(row.event)
    return sealed(
        Paper(
            kind="decision",
            title=_("Decision No. %(number)d") % {"number": row.number},
            head=head,
            stage=row.stage.name if row.stage else _("Whole event"),
            badge=_("revoked") if row.revoked_at else _("in force"),
            revision=str(row.number),
            issued=row.revoked_at or row.created_at,
            columns=(Column("item", _("Item"), 25, strong=True), Column("content", _("Content"), 75)),
            sections=(Section("", tuple(item for item in _items(head, row) if item[1])),),
            facts=((_("Printed"), head.at(now)),),
            signatures=(_("Clerk of the course"), _("Steward"), _("Steward"), _("Received by the competitor")),
            form=True,
        )
    )


def _items(head: Head, row: Decision) -> Iterator[Item]:
    yield _("Document"), row.document
    yield _("Date and time"), head.at(row.created_at)
    yield _("Competitor"), _competitor(row)
    yield _("Class"), str(row.race_class or "")
    yield _("Stage"), row.stage.name if row.stage else ""
    yield _("Facts"), row.reason
    yield _("Article"), row.article
    yield _("Decision"), capfirst("; ".join([_(row.get_kind_display()), *_params(head, row)]))
    yield _("Decided by"), str(row.author)
    if row.revoked_at:
        yield _("Revoked"), head.at(row.revoked_at)
        yield _("Revoked by"), str(row.revoked_by)
        yield _("Revoked because"), row.revoked_reason


def _competitor(row: Decision) -> str:
    if row.entry_id is None:
        return _("all competitors") if row.race_class_id is None else ""
    entry = next(entry for entry in with_names(str(row.event_id)) if entry.pk == row.entry_id)
    return f"{entry.race_number} {crew_of(entry)}".strip()


def _params(head: Head, row: Decision) -> Iterator[str]:
    """What was decided, in words: "duration 0:01:00"."""
    names = _names(row)
    for name, value in row.params.items():
        label = _labels().get(name, name)
        yield f"{label} {_value(head, name, value, names)}"


def _labels() -> dict[str, str]:
    return {
        "key": _("offence"),
        "ms": _("time"),
        "metres": _("metres led"),
        "ms_per_km": _("time per km"),
        "applies_to": _("counts for"),
        "control": _("control"),
        "ts": _("instant"),
        "segment": _("segment"),
        "from_control": _("from"),
        "to_control": _("to"),
        "status": _("status"),
        "device": _("tracker"),
        "from_ts": _("from"),
        "to_ts": _("until"),
    }


def _value(head: Head, name: str, value: Any, names: dict[str, str]) -> str:
    if name in ("ms", "ms_per_km"):
        return duration(value)
    if name.endswith("ts"):
        return head.time(value)
    if name == "status" and value in ResultStatus.values:
        return str(ResultStatus(value).label)
    if name == "key":
        return _offence(value, names)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return names.get(str(value), str(value))


def _offence(key: str, names: dict[str, str]) -> str:
    type_, _separator, target = key.partition(":")
    title = _(EVALUATORS[type_].title) if type_ in EVALUATORS else type_
    return f"{title} {names.get(target, target)}".strip()


def _names(row: Decision) -> dict[str, str]:
    """Names in place of the ids of controls and segments."""
    segments = Segment.objects.filter(stage__event=row.event_id)
    return {**event_plan(str(row.event_id)).names, **{str(one.pk): str(one) for one in segments}}
