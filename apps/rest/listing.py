"""A list: which of a resource's rows somebody asks for, and how much of each they may read."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import EmptyResultSet
from django.db.models import Model, Q, QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from apps.accounts import policy
from apps.accounts.places import OwnedEvent
from apps.accounts.rights import AnyUser, rights_of
from apps.rest import filters, reading
from apps.rest.answers import JSON, encode
from apps.rest.inside import attach
from apps.rest.loading import event_of
from apps.rest.paging import Page, cursor_values, next_link, page
from apps.rest.serializers import Nested

PUBLIC = "public"  # the value of `scope` that shows what everyone sees
# With these alone a list has all rows of its event or organizations.
SIMPLE = frozenset({"limit", "cursor", "ordering", "event", "expand", "scope"})


class Resource(Protocol):
    """What a list asks of its view."""

    @property
    def user(self) -> AnyUser: ...
    @property
    def queryset(self) -> QuerySet[Any]: ...

    model: type[Model]
    order: tuple[str, ...]
    search: tuple[str, ...]
    expand: tuple[str, ...]
    nested: tuple[Nested, ...]
    heavy: frozenset[str]


class Listing:
    """One request for a list. Everything may raise ValidationError, naming the parameter that is wrong."""

    def __init__(self, view: Any, params: Mapping[str, str]) -> None:
        self._view: Resource = view
        self._params = params
        self._viewer = self._viewer_of(params.get("scope"))
        self._event = self._event_of(params.get("event"))
        self._readable = reading.readable_in_list(self._viewer, view.model, self._event)

    def answer(self, path: str) -> HttpResponse:
        """Raises PermissionDenied to those who may see no such row at all."""
        view = self._view
        if not self._readable:
            policy.require(self._viewer, "view", view.model, **({"event": self._event} if self._event else {}))
        asked = page(view.model, view.order, self._params, self._readable)
        text, last = self._read(asked)
        link = None if last is None else next_link(path, self._params, asked.cursor(cursor_values(last)))
        return HttpResponse(f'{{"results":{text},"next":{encode(link).decode()}}}', content_type=JSON)

    def _read(self, asked: Page) -> tuple[str, list[Any] | None]:
        """The page as JSON, and the values the next one starts after."""
        shown, nested = self._columns(), [one for one in self._view.nested if one.name in self._expansions]
        statement = None if nested else self._statement(shown, asked)
        if statement is not None:
            return reading.read_json(statement, asked)
        found, last = reading.read_page(self._rows(), shown, asked)
        attach(self._viewer, found, nested, self._event)
        return encode(found).decode(), last

    def _statement(self, shown: reading.Columns, asked: Page) -> reading.Statement | None:
        whole = self._whole() if not asked.after and self._params.keys() <= SIMPLE else None
        if whole is not None:
            lookup, ids = whole
            kept = reading.kept(self._view.model, (lookup, len(ids)), shown, asked)
            if kept is not None:
                return kept, ids
        try:
            return reading.statement(self._rows(), shown, asked)
        except EmptyResultSet:
            return None

    def _whole(self) -> tuple[str, tuple[Any, ...]] | None:
        """Where the list is of whole events or organizations: the lookup, and their ids."""
        if self._event is None:
            return policy.whole_organizations(self._viewer, self._view.model)
        return (filters.event_path(self._view.model), (self._event.pk,)) if self._sees_all else None

    def _rows(self) -> QuerySet[Any]:
        view, params, rows = self._view, self._params, self._view.queryset
        if not self._sees_all:
            public = self._event is not None or not rights_of(self._viewer).roles
            rows = policy.visible(self._viewer, rows, public=public)
        if self._event is not None:
            rows = rows.filter(**{filters.event_path(view.model): self._event.pk})
        if params.get("search"):
            rows = rows.filter(filters.search(view.search, params["search"], self._readable))
        found = self._conditions()
        return rows.filter(found) if found else rows

    def _conditions(self) -> Q:
        """By columns of the rows, and of those they refer to."""
        view, known, readable = self._view, filters.filters_of(self._view.model), self._readable
        asked = [name for name in view.expand if any(key.startswith(f"{name}__") for key in self._params)]
        if asked:
            shown = reading.references(self._viewer, view.model, [n for n in asked if n in readable], self._event)
            readable |= {f"{name}__{column}" for name, columns in shown for column in columns}
            known = filters.related_filters(view.model, asked) | known
        return filters.conditions(known, self._params, readable)

    @property
    def _sees_all(self) -> bool:
        return self._event is not None and policy.sees_all(self._viewer, self._view.model, self._event)

    @cached_property
    def _expansions(self) -> Sequence[str]:
        names = (*self._view.expand, *(one.name for one in self._view.nested))
        return reading.expansions(names, self._params.get("expand"))

    def _columns(self) -> reading.Columns:
        view = self._view
        names = (name for name in self._expansions if name in view.expand and name in self._readable)
        own = reading.columns(view.model, self._readable - view.heavy)
        return reading.Columns(own, reading.references(self._viewer, view.model, names, self._event))

    def _viewer_of(self, scope: str | None) -> AnyUser:
        """Who the list is for: with `scope=public` the user counts as anyone."""
        if scope not in (None, PUBLIC):
            raise ValidationError({"scope": [_("There is no scope but %(scope)s.") % {"scope": PUBLIC}]})
        return AnonymousUser() if scope else self._view.user

    def _event_of(self, text: str | None) -> Any:
        """The event that `event=` names; there is none for what has no event, and Http404 for one that is not."""
        if text is None:
            return None
        if not filters.event_path(self._view.model):
            raise ValidationError({"event": [_("These rows belong to no event.")]})
        try:
            key = UUID(text)
        except ValueError as error:
            raise ValidationError({"event": [_("No id of an event.")]}) from error
        event: OwnedEvent = event_of(key)
        return event
