"""The race-control log on paper: every line in the order in which it was written, taken back ones as well."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.course.models import Stage
from apps.documents.paper import Column, Head, Paper, duration, head_of, in_sections, sealed
from apps.events.models import Event
from apps.racelog.models import LogLine
from apps.racelog.queries import timeline

Line = tuple[str, ...]


def of_event(event: Event, now: datetime) -> Paper:
    """The log of all stages, and of what belongs to none."""
    return _paper(event, list(timeline(event)), _("Whole event"), now)


def of_stage(stage: Stage, now: datetime) -> Paper:
    """The log of one stage."""
    return _paper(stage.event, list(timeline(stage.event).filter(stage=stage)), stage.name, now)


def _paper(event: Event, lines: list[LogLine], stage: str, now: datetime) -> Paper:
    head = head_of(event)
    return sealed(
        Paper(
            kind="race-log",
            title=_("Race-control log"),
            head=head,
            stage=stage,
            columns=_columns(),
            sections=in_sections([(_day(head, line), _row(head, line)) for line in lines]),
            issued=now,
            facts=((_("Lines"), str(len(lines))),),
            notes=(
                _("A line is never changed: what was wrong is taken back by another line, which names who and why."),
            ),
            signatures=(_("Clerk of the course"), _("Secretary of the event")),
        )
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("time", _("Time"), 9, wraps=False, strong=True),
        Column("what", _("What"), 14, strong=True),
        Column("race_number", _("No."), 6, wraps=False, strong=True),
        Column("text", _("Text"), 36),
        Column("place", _("Place"), 17),
        Column("author", _("By"), 13),
        Column("taken_back", _("Taken back"), 17),
    )


def _row(head: Head, line: LogLine) -> Line:
    return (
        f"{line.at.astimezone(head.clock):%H:%M:%S}",
        str(line.get_kind_display()),
        str(line.entry.race_number) if line.entry else "",
        _text(line),
        _place(line),
        str(line.author),
        _taken_back(head, line.undone),
    )


def _day(head: Head, line: LogLine) -> str:
    return f"{line.at.astimezone(head.clock):%d.%m.%Y}"


def _text(line: LogLine) -> str:
    data: dict[str, Any] = line.data
    numbers = ", ".join(map(str, data.get("numbers", ())))
    later = f"+{duration(data['by_ms'])}" if data.get("by_ms") else ""
    measured = duration(data["value_ms"]) if data.get("value_ms") else ""
    return " · ".join(part for part in (data.get("who", ""), line.text, numbers, later, measured) if part)


def _place(line: LogLine) -> str:
    where = "" if line.latitude is None or line.longitude is None else f"{line.latitude:.5f}, {line.longitude:.5f}"
    return " · ".join(part for part in (line.place, where) if part)


def _taken_back(head: Head, by: LogLine | None) -> str:
    return "" if by is None else f"{by.at.astimezone(head.clock):%H:%M:%S} {by.author}: {by.text}"
