"""What a published revision is printed from: its frozen content, and the names frozen with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.accounts.policy import fields
from apps.accounts.rights import AnyUser
from apps.documents.paper import Head, head_of
from apps.scoring.models import ResultRevision
from apps.scoring.printed import printed


@dataclass(frozen=True, slots=True)
class Frozen:
    """A revision to be printed; `tells` are the names of its fields that the reader may read."""

    row: ResultRevision
    names: Mapping[str, Any]
    head: Head
    tells: frozenset[str]

    @property
    def stage(self) -> str:
        return self.names["stage"] or _("Whole event")

    @property
    def whole_event(self) -> bool:
        return not self.names["stage"]

    @property
    def results(self) -> list[dict[str, Any]]:
        return list(self.row.snapshot.get("results", []))

    @property
    def penalties(self) -> list[dict[str, Any]]:
        return list(self.row.snapshot.get("penalties", []))

    def entry(self, id: str) -> Mapping[str, Any]:
        return self.names["entries"].get(id) or {"number": 0, "crew": "", "nations": "", "vehicle": "", "class": ""}

    def facts(self) -> tuple[tuple[str, str], ...]:
        by = (_("Published by"), str(self.row.published_by)) if "published_by" in self.tells else None
        protests = (_("Protests until"), self.head.at(self.row.protest_until)) if self.row.protest_until else None
        return tuple(fact for fact in (protests, by) if fact)

    def notes(self) -> tuple[str, ...]:
        if not self.row.reason or "reason" not in self.tells:
            return ()
        return (_("Amended because: %(reason)s") % {"reason": self.row.reason},)


def frozen(row: ResultRevision, user: AnyUser) -> Frozen:
    """The revision with its names: those frozen with it, of an older one those of today."""
    stage = None if row.stage_id is None else str(row.stage_id)
    names = row.snapshot.get("printed") or printed(str(row.event_id), stage)
    return Frozen(row, names, _head(row, names), fields(user, row))


def _head(row: ResultRevision, names: Mapping[str, Any]) -> Head:
    today = head_of(row.event)
    zone = names["time_zone"]
    first, last = (datetime.fromisoformat(names[name]) for name in ("starts_at", "ends_at"))
    local = Head(names["organization"], names["event"], today.first_day, today.last_day, zone)
    return Head(
        local.organization,
        local.event,
        first.astimezone(local.clock).date(),
        last.astimezone(local.clock).date(),
        zone,
    )
