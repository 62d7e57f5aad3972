"""Filters of a list: `?status=accepted&race_number__gte=300&race_class__code=C-2`, by every column a user may read, and
by those of the rows that the list may be expanded with.

A filter on a column that may not be read would tell it letter by letter, so it is refused like one that does not
exist. `event=<id>` works for everything that belongs to an event, however far away it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Model, Q
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from apps.accounts.policy_rules import words
from apps.accounts.policy_table import SCOPES, SECRET
from apps.rest.problems import Unfit

Parser = Callable[[str], Any]
ORDERED = ("gt", "gte", "lt", "lte")
RESERVED = frozenset({"limit", "cursor", "ordering", "search", "expand", "scope", "event", "format"})
MOST_VALUES = 500  # of an __in
LEAST, GREATEST = -(2**63), 2**63 - 1
NO_NUL = r"^[^\u0000]*$"


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(_("true or false"))
    return text == "true"


def _instant(text: str) -> datetime:
    found = parse_datetime(text)
    if found is None:
        raise ValueError(_("an ISO 8601 instant, e.g. 2026-06-07T08:00:00Z"))
    try:
        # PostgreSQL refuses what is further from UTC than any zone is.
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(_("an instant between the years 1 and 9999")) from error


def _day(text: str) -> date:
    found = parse_date(text)
    if found is None:
        raise ValueError(_("an ISO 8601 date"))
    return found


def _integer(text: str) -> int:
    number = int(text)
    if not LEAST <= number <= GREATEST:
        raise ValueError(_("a smaller number"))
    return number


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(_("a number")) from error
    if not number.is_finite() or abs(number.adjusted()) > 300:
        raise ValueError(_("a number within reason"))
    return number


def _text(text: str) -> str:
    if "\x00" in text:
        raise ValueError(_("text without NUL"))
    text.encode()  # a lone surrogate is a ValueError
    return text


@dataclass(frozen=True, slots=True)
class Kind:
    """How values of a column are read from an address, which lookups make sense, and its OpenAPI type."""

    parse: Parser
    lookups: tuple[str, ...]
    schema: Mapping[str, Any]


UUIDS = Kind(UUID, ("in",), {"type": "string", "format": "uuid"})
KINDS: tuple[tuple[type[models.Field[Any, Any]], Kind], ...] = (
    (models.UUIDField, UUIDS),
    (models.BooleanField, Kind(_truth, (), {"type": "boolean"})),
    (models.IntegerField, Kind(_integer, ("in", *ORDERED), {"type": "integer", "minimum": LEAST, "maximum": GREATEST})),
    (models.DateTimeField, Kind(_instant, ORDERED, {"type": "string", "format": "date-time"})),
    (models.DateField, Kind(_day, ORDERED, {"type": "string", "format": "date"})),
    (models.FloatField, Kind(_number, ORDERED, {"type": "number"})),
    (models.DecimalField, Kind(_number, ORDERED, {"type": "number"})),
    (models.CharField, Kind(_text, ("in", "icontains"), {"type": "string", "pattern": NO_NUL})),
    (models.TextField, Kind(_text, ("icontains",), {"type": "string", "pattern": NO_NUL})),
)


def kind_of(field: "models.Field[Any, Any]") -> Kind | None:
    """None for JSON and arrays: they are no filters."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return next((kind for type_, kind in KINDS if isinstance(field, type_)), None)


@dataclass(frozen=True, slots=True)
class Filter:
    """One parameter: the field it needs to be readable, the lookup it becomes, how it reads its text."""

    field: str
    lookup: str
    parse: Parser
    schema: Mapping[str, Any]


@cache
def filters_of(model: type[Model]) -> dict[str, Filter]:
    """Every filter of a resource by the name of its parameter."""
    return {one.lookup if one.lookup != f"{one.field}__exact" else one.field: one for one in _filters(model)}


def _filters(model: type[Model]) -> Iterator[Filter]:
    for field in model._meta.concrete_fields:
        kind = kind_of(field)
        if kind is None or field.name in words(SECRET, model._meta.db_table):
            continue
        yield Filter(field.name, f"{field.name}__exact", kind.parse, kind.schema)
        for lookup in kind.lookups:
            parse = _many(kind.parse) if lookup == "in" else kind.parse
            schema = _list_of(kind.schema) if lookup == "in" else kind.schema
            yield Filter(field.name, f"{field.name}__{lookup}", parse, schema)
        if field.null:
            yield Filter(field.name, f"{field.name}__isnull", _truth, {"type": "boolean"})


def _list_of(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items), "minItems": 1, "maxItems": MOST_VALUES}


def _many(parse: Parser) -> Parser:
    def parse_all(text: str) -> list[Any]:
        parts = text.split(",")
        if len(parts) > MOST_VALUES:
            raise ValueError(_("at most %(most)d values") % {"most": MOST_VALUES})
        return [parse(part) for part in parts]

    return parse_all


def related_filters(model: type[Model], expand: Iterable[str]) -> dict[str, Filter]:
    """Filters by the columns of rows that are referred to, by the names of their parameters."""
    return {
        f"{name}__{key}": Filter(f"{name}__{one.field}", f"{name}__{one.lookup}", one.parse, one.schema)
        for name in expand
        for key, one in filters_of(_related(model, name)).items()
    }


def _related(model: type[Model], name: str) -> type[Model]:
    found: Any = model._meta.get_field(name).related_model
    return found  # type: ignore[no-any-return]


def conditions(known: Mapping[str, Filter], params: Mapping[str, str], readable: frozenset[str]) -> Q:
    """The filters of an address. Raises ValidationError naming every parameter that is wrong or unknown, and Unfit
    for columns that may not be read."""
    found, wrong, hidden = Q(), {}, {}
    for name, text in params.items():
        one = known.get(name)
        if name in RESERVED and one is None:
            continue
        if one is None:
            wrong[name] = [_("There is no such filter.")]
            continue
        if one.field not in readable:
            hidden[name] = [_("You may not read this of every row here, and so not filter by it.")]
            continue
        try:
            found &= Q((one.lookup, one.parse(text)))
        except ValueError as error:
            wrong[name] = [_("Not valid here: %(why)s.") % {"why": str(error)[:200]}]
    if wrong:
        raise ValidationError(wrong | hidden)
    if hidden:
        raise Unfit(hidden)
    return found


def event_path(model: type[Model]) -> str:
    """The lookup that leads to the event of a row, "" where there is none."""
    scope = SCOPES[model._meta.db_table]
    return "" if scope.shared else scope.event


def search(paths: tuple[str, ...], text: str, readable: frozenset[str]) -> Q:
    """Rows in which every word is found somewhere, in columns that may be read. Raises ValidationError."""
    usable = [path for path in paths if path.partition("__")[0] in readable]
    try:
        words = _text(text).split()[:10]
    except ValueError as error:
        raise ValidationError({"search": [str(error)]}) from error
    found = Q()
    for word in words:
        anywhere = Q(pk__in=[])
        for path in usable:
            anywhere |= Q(**{f"{path}__icontains": word})
        found &= anywhere
    return found
