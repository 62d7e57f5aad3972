"""One row by its id, with what leads to its event: all that the policy asks of it, in a statement that is made once.

Django would make the statement anew for each request, and that costs more than asking it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Field, Model
from django.http import Http404

from apps.rest import filters

# As much of an event as the policy asks for; the rest is read when it is asked.
OF_EVENT = frozenset({"id", "organization_id", "is_public", "starts_at", "ends_at"})


@dataclass(frozen=True, slots=True)
class _Part:
    """The columns of one table: the row's own, or those of a row on the way to its event."""

    model: type[Model]
    reference: str  # that leads here from the part before, "" for the row itself
    fields: tuple["Field[Any, Any]", ...]

    @property
    def select(self) -> str:
        columns = ", ".join(f'"{field.column}"' for field in self.fields)
        return f'select {columns} from "{self.model._meta.db_table}" where id = %s'

    def loaded(self, values: Sequence[Any]) -> Any:
        return self.model.from_db("default", [field.attname for field in self.fields], values)


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    parts: tuple[_Part, ...]
    converters: tuple[tuple[int, Callable[..., Any]], ...]

    def row(self, values: list[Any]) -> Any:
        """The row of what was read, with those it leads to."""
        for place, convert in self.converters:
            values[place] = convert(values[place], None, connection)
        rows: list[Any] = []
        for part in self.parts:
            mine, values = values[: len(part.fields)], values[len(part.fields) :]
            found = part.loaded(mine) if mine[0] is not None else None
            if rows and rows[-1] is not None:
                rows[-1]._state.fields_cache[part.reference] = found
            rows.append(found)
        return rows[0]


def load(model: type[Model], key: Any) -> Any:
    """The row, None where there is none: also for a key that can be none of this model's."""
    try:
        key = model._meta.pk.to_python(key)
    except ValidationError:
        return None
    statement = _statement(model)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, [key])
        values = cursor.fetchone()
    return statement.row(list(values)) if values else None


def event_of(key: UUID) -> Any:
    """The event's row, as much as the policy needs of it. Raises Http404."""
    part = _event_part()
    with connection.cursor() as cursor:
        cursor.execute(part.select, [key])
        values = cursor.fetchone()
    if values is None:
        raise Http404
    return part.loaded(values)


@cache
def _event_part() -> _Part:
    return _part(apps.get_model("events", "Event"), "", OF_EVENT)  # this app lies below `events`


@cache
def _statement(model: type[Model]) -> _Statement:
    parts = _parts(model)
    columns = [f't{n}."{field.column}"' for n, part in enumerate(parts) for field in part.fields]
    tables = f'"{model._meta.db_table}" t0'
    for n, part in enumerate(parts[1:], start=1):
        key: Any = parts[n - 1].model._meta.get_field(part.reference)
        tables += f' left join "{part.model._meta.db_table}" t{n} on t{n}.id = t{n - 1}."{key.column}"'
    sql = f'select {", ".join(columns)} from {tables} where t0."{model._meta.pk.column}" = %s'
    fields = [field for part in parts for field in part.fields]
    converters = [(n, convert) for n, field in enumerate(fields) for convert in field.get_db_converters(connection)]
    return _Statement(sql, parts, tuple(converters))


def _parts(model: type[Model]) -> tuple[_Part, ...]:
    path = filters.event_path(model)
    way = [] if path in ("", "pk") else path.split("__")
    found = [_part(model, "", None)]
    for name, following in zip(way, [*way[1:], ""], strict=False):
        related: Any = found[-1].model._meta.get_field(name).related_model
        found.append(_part(related, name, frozenset({"id", f"{following}_id"}) if following else OF_EVENT))
    return tuple(found)


def _part(model: type[Model], reference: str, names: frozenset[str] | None) -> _Part:
    """Columns in the model's own order, by which `from_db` takes them; the id is the first."""
    fields = model._meta.concrete_fields
    return _Part(model, reference, tuple(field for field in fields if names is None or field.attname in names))
