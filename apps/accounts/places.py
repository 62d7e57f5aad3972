"""Where a row belongs: its organizations, its event, its owner. Follows the paths of `policy_table.SCOPES`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, reduce
from typing import Any, Protocol, cast
from uuid import UUID

from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from apps.accounts.policy_table import SCOPES, Scope
from apps.accounts.rights import Rights, once


class OwnedEvent(Protocol):
    """What the policy needs to know of an event; `accounts` lies below `events` and cannot import it."""

    organization_id: UUID
    is_public: bool
    starts_at: datetime
    ends_at: datetime
    public_delay_seconds: int


class Place(Protocol):
    """What the conditions of a rule ask. `organizations` is None for what belongs to the whole installation."""

    @property
    def organizations(self) -> frozenset[UUID] | None: ...
    @property
    def public(self) -> bool: ...
    @property
    def active(self) -> bool: ...
    @property
    def published(self) -> bool: ...
    @property
    def told(self) -> bool: ...
    def belongs_to(self, rights: Rights) -> bool: ...


def is_active(event: OwnedEvent) -> bool:
    """Between its start and its end, with the margin of settings on both sides: scrutineering, sweep cars."""
    margin = timedelta(hours=settings.EVENT_ACTIVE_MARGIN_HOURS)
    return event.starts_at - margin <= timezone.now() <= event.ends_at + margin


@dataclass(frozen=True)
class InEvent:
    """Something of an event that is no row yet, or every row of a kind."""

    event: OwnedEvent

    @property
    def organizations(self) -> frozenset[UUID]:
        return frozenset([self.event.organization_id])

    @property
    def public(self) -> bool:
        return self.event.is_public

    @property
    def active(self) -> bool:
        return is_active(self.event)

    @property
    def published(self) -> bool:
        return True

    @property
    def told(self) -> bool:
        return True

    def belongs_to(self, rights: Rights) -> bool:
        return False


@dataclass(frozen=True)
class OfRow:
    """A row, saved or not. Reading its place costs no query where its relations are loaded."""

    row: Model
    scope: Scope

    @cached_property
    def organizations(self) -> frozenset[UUID] | None:
        if not self.scope.organizations:
            return None
        if self.scope.shared:
            return _all_ends(self.row, self.scope.organizations)
        found = (_end(self.row, path) for path in self.scope.organizations)
        return frozenset(id for id in found if id is not None)

    @property
    def public(self) -> bool:
        if self.scope.shared:
            return once((type(self.row), self.row.pk, "public"), self._in_public_event)
        return self._event is not None and self._event.is_public

    @property
    def active(self) -> bool:
        return self._event is not None and is_active(self._event)

    @property
    def published(self) -> bool:
        if self.scope.published is None:
            return True
        name, value = self.scope.published
        return bool(getattr(self.row, name) == value)

    @property
    def told(self) -> bool:
        """Whether audiences may know of it by now: what has no instant yet says nothing too soon."""
        if not self.scope.told or self._event is None or not self._event.public_delay_seconds:
            return True
        since = cast(datetime | None, reduce(getattr, self.scope.told.split("__"), cast(Any, self.row)))
        return since is None or since <= timezone.now() - timedelta(seconds=self._event.public_delay_seconds)

    def belongs_to(self, rights: Rights) -> bool:
        """Whether it is the user's own."""
        if rights.user_id is None:
            return False
        if self.scope.person and _end(self.row, self.scope.person) == rights.user_id:
            return True
        return bool(self.scope.crew and rights.entries and self._crews & rights.entries)

    @cached_property
    def _event(self) -> OwnedEvent | None:
        if self.scope.shared or not self.scope.event:
            return None
        return cast(OwnedEvent | None, _follow(self.row, self.scope.event))

    def _in_public_event(self) -> bool:
        rows = _manager(self.row).filter(pk=self.row.pk, **{f"{self.scope.event}__is_public": True})
        return bool(rows.exists())

    @property
    def _crews(self) -> frozenset[UUID]:
        if self.scope.shared:
            return _all_ends(self.row, (self.scope.crew,))
        return frozenset([_end(self.row, self.scope.crew)])


def place_of(
    target: Model | type[Model] | str, event: OwnedEvent | None = None, inside: Model | None = None
) -> Place | None:
    """The place of a row; for a kind of rows that of the row `inside`, or of `event`; None where none says one."""
    row = target if isinstance(target, Model) else inside
    if row is not None:
        return OfRow(row, SCOPES[resource_of(row)])
    return InEvent(event) if event is not None else None


def resource_of(target: Model | type[Model] | str) -> str:
    """The table's name. Raises LookupError for one the policy does not know."""
    name = target if isinstance(target, str) else target._meta.db_table
    if name not in SCOPES:
        raise LookupError(f"apps/accounts/policy_table.py does not know {name!r}")
    return name


def _manager(row: Model) -> Any:
    return type(row)._default_manager


def _all_ends(row: Model, paths: tuple[str, ...]) -> frozenset[UUID]:
    if row._state.adding:
        return frozenset()
    return once((type(row), row.pk, paths), lambda: _read_ends(row, paths))


def _read_ends(row: Model, paths: tuple[str, ...]) -> frozenset[UUID]:
    mine = _manager(row).filter(pk=row.pk).order_by()
    ends = {end for path in paths for end in mine.values_list(path, flat=True)}
    return frozenset(ends - {None})


def _follow(row: Any, path: str) -> Any:
    for name in () if path == "pk" else path.split("__"):
        # The id first: an empty foreign key of an unsaved row raises, and has no place anyhow.
        row = getattr(row, name) if row is not None and getattr(row, f"{name}_id") is not None else None
    return row


def _end(row: Any, path: str) -> Any:
    """The id at the end of a path, without loading what it is the id of."""
    *way, last = path.split("__")
    at = _follow(row, "__".join(way)) if way else row
    if at is None:
        return None
    return at.pk if last == "pk" else getattr(at, f"{last}_id")
