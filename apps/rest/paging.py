"""Pages by cursor: the place after the last row, so that page 2,000 costs what page 1 does, and nothing slips
through while rows come in."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from django.db.models import F, Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from apps.accounts.policy_rules import words
from apps.accounts.policy_table import SECRET
from apps.rest.filters import kind_of
from apps.rest.problems import Unfit

USUAL, MOST = 100, 1000


@dataclass(frozen=True, slots=True)
class Key:
    """A column of the order; NULL comes last in both directions."""

    name: str
    descending: bool
    nullable: bool

    @property
    def expression(self) -> Any:
        column = F(self.name)
        nulls_last = True if self.nullable else None
        return column.desc(nulls_last=nulls_last) if self.descending else column.asc(nulls_last=nulls_last)

    def after(self, value: Any) -> Q:
        """Rows whose value comes later than this one."""
        if value is None:
            return Q(pk__in=[])
        later = Q(**{f"{self.name}__{'lt' if self.descending else 'gt'}": value})
        return later | Q(**{f"{self.name}__isnull": True}) if self.nullable else later

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is asked for."""

    keys: tuple[Key, ...]
    limit: int
    after: tuple[Any, ...] = ()

    def of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the page and one more, which tells that there is a next."""
        if self.after:
            rows = rows.filter(self._later())
        return rows.order_by(*(key.expression for key in self.keys))[: self.limit + 1]

    def _later(self) -> Q:
        found, tied = Q(), Q()
        for key, value in zip(self.keys, self.after, strict=True):
            found |= tied & key.after(value)
            tied &= key.same(value)
        first, value = self.keys[0], self.after[0]
        # Said apart as well, so that the index of the order is entered at the right place.
        return found if first.nullable else found & (first.after(value) | first.same(value))

    def cursor(self, values: Sequence[Any]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(list(values))).decode().rstrip("=")


def page(model: type[Model], order: tuple[str, ...], params: Mapping[str, str], readable: frozenset[str]) -> Page:
    """Raises ValidationError, or Unfit, naming limit, ordering or cursor."""
    names = params["ordering"].split(",") if "ordering" in params else order
    keys = tuple(_key(model, name, readable | frozenset(key.lstrip("-") for key in order)) for name in names)
    if all(key.name != model._meta.pk.name for key in keys):
        keys = (*keys, Key(model._meta.pk.name, keys[0].descending, False))
    return Page(keys, _limit(params), _after(model, keys, params.get("cursor", "")))


def next_link(path: str, params: Mapping[str, str], cursor: str) -> str:
    return f"{path}?{urlencode({**params, 'cursor': cursor})}"


def orderable(model: type[Model]) -> list[str]:
    secret = words(SECRET, model._meta.db_table)
    fields = model._meta.concrete_fields
    return [field.name for field in fields if field.name not in secret and kind_of(field) is not None]


def _key(model: type[Model], name: str, readable: frozenset[str]) -> Key:
    bare = name.removeprefix("-")
    if bare not in orderable(model):
        raise ValidationError({"ordering": [_("There is no column %(name)s to order by.") % {"name": bare}]})
    if bare not in readable:
        raise Unfit({"ordering": [_("You may not read this of every row here, and so not order by it.")]})
    return Key(bare, name.startswith("-"), bool(model._meta.get_field(bare).null))


def _limit(params: Mapping[str, str]) -> int:
    text = params.get("limit", str(USUAL))
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= MOST):
        raise ValidationError({"limit": [_("A whole number from 1 to %(most)d.") % {"most": MOST}]})
    return int(text)


def _after(model: type[Model], keys: tuple[Key, ...], text: str) -> tuple[Any, ...]:
    if not text:
        return ()
    try:
        values = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(keys):
            raise ValueError("another list")
        return tuple(_value(model, key, value) for key, value in zip(keys, values, strict=True))
    except (ValueError, binascii.Error, TypeError) as error:
        raise Unfit({"cursor": [_("It is not one that this list has given out.")]}) from error


def _value(model: type[Model], key: Key, value: Any) -> Any:
    if value is None:
        if not key.nullable:
            raise ValueError("no value")
        return None
    if isinstance(value, bool):
        return value
    kind = kind_of(model._meta.get_field(key.name))  # type: ignore[arg-type]
    if kind is None or not isinstance(value, (str, int, float)):
        raise ValueError("no such value")
    return kind.parse(value if isinstance(value, str) else repr(value))


def cursor_values(row: Sequence[Any]) -> list[Any]:
    return [value.isoformat() if isinstance(value, datetime) else value for value in row]
