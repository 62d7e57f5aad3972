"""The dashboard of a stage: the field by where it is, and what is still to be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.course.models import SegmentType, Stage
from apps.desk import queries
from apps.desk.domain.field import Alarm, Group, Limits, Seen, alarms, group, medians, overdue
from apps.desk.queries import FieldRow

ALARMS: dict[Alarm, Promise] = {
    Alarm.LATE_START: _("did not start in time"),
    Alarm.SILENT: _("no fix for 10 minutes"),
    Alarm.SLOW: _("twice as long as its class"),
    Alarm.OVER_MAXIMUM: _("over the maximum time"),
    Alarm.STOPPED: _("has not moved for 3 minutes"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An entry on the dashboard."""

    row: FieldRow
    group: Group
    alarms: tuple[Alarm, ...]

    @property
    def causes(self) -> list[Promise]:
        return [ALARMS[alarm] for alarm in self.alarms]

    @property
    def overdue(self) -> bool:
        return overdue(self.alarms)

    @property
    def stopped(self) -> bool:
        return Alarm.STOPPED in self.alarms


@dataclass(frozen=True, slots=True)
class Card:
    """A number on the dashboard, and the list it opens."""

    name: str
    title: Any
    help: Any
    lines: Sequence[Line]


def field_of(stage: Stage, now: int) -> list[Line]:
    """Every entry of the stage, by race number, as it stands at `now` (epoch ms)."""
    rows = queries.field(str(stage.pk))
    seen = [_seen(row) for row in rows]
    limits = Limits(_maximum_ms(stage), medians(seen))
    return [Line(row, group(one), alarms(one, now, limits)) for row, one in zip(rows, seen, strict=True)]


def cards(lines: Sequence[Line]) -> list[Card]:
    """The counts of the dashboard over competing entries, in the order of the day."""
    field = [line for line in lines if line.row.competing]
    started = [line for line in field if line.row.result not in ("", "registered", "dns")]
    return [
        Card("expected", _("Expected"), _("Still to start."), _in(field, Group.EXPECTED)),
        Card("started", _("Started"), _("All who have left, wherever they are now."), started),
        Card("on-course", _("On course"), _("Started, and neither home nor out."), _in(field, Group.ON_COURSE)),
        Card(
            "overdue", _("Overdue"), _("Late at the start, silent, or far slower than the class: look for them."),
            [line for line in field if line.overdue],
        ),
        Card("finished", _("Finished"), _("Through the last control."), _in(field, Group.FINISHED)),
        Card("retired", _("Retired"), _("Did not start or finish, out of time, or out."), _in(field, Group.RETIRED)),
    ]  # fmt: skip


def _in(field: Sequence[Line], where: Group) -> list[Line]:
    return [line for line in field if line.group is where]


def _seen(row: FieldRow) -> Seen:
    return Seen(
        race_class=row.race_class,
        result=row.result,
        word=row.word,
        time_ms=row.time_ms,
        target_ts=row.target_ts,
        start_ts=row.start_ts,
        fix_ts=row.fix_ts,
        moving_ts=row.moving_ts,
    )


def _maximum_ms(stage: Stage) -> int | None:
    """The longest any crew may be on the stage's specials together."""
    specials = stage.segments.filter(type=SegmentType.SPECIAL_STAGE).values_list("maximum_duration_seconds", flat=True)
    limits = [limit for limit in specials if limit is not None]
    return sum(limits) * 1000 if limits else None
