"""Rows to JSON: from the cursor to bytes, without a model instance or a serializer for each row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from apps.accounts import policy, policy_rules
from apps.accounts.places import OwnedEvent, resource_of
from apps.accounts.rights import AnyUser, rights_of
from apps.rest.paging import Page


@dataclass(frozen=True, slots=True)
class Columns:
    """What is read of a row, and of the rows it refers to that are asked for with it, in the model's order."""

    own: tuple[str, ...]
    references: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def joined(self) -> Mapping[str, tuple[str, ...]]:
        return dict(self.references)

    @property
    def paths(self) -> list[str]:
        return [*self.own, *(f"{name}__{column}" for name, columns in self.joined.items() for column in columns)]

    def as_json(self, model: type[Model], sql: str) -> str:
        """A statement that gives each row of `sql`, which has all columns of `model`, as one JSON text."""
        joined = self.joined
        parts = ", ".join(_part(model, name, joined.get(name)) for name in self.own)
        return f"select row_to_json(j)::text from (select {parts} from ({sql}) r) j"

    def dicts(self, rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
        """Rows of values in the order of `paths`; a row referred to stands in the place of its id."""
        own, width = self.own, len(self.own)
        found = [dict(zip(own, row, strict=False)) for row in rows]
        for name, columns in self.joined.items():
            end = width + len(columns)
            for made, row in zip(found, rows, strict=True):
                made[name] = dict(zip(columns, row[width:end], strict=True)) if row[width] is not None else None
            width = end
        return found


def _part(model: type[Model], name: str, joined: Sequence[str] | None) -> str:
    """One column of the answer, or, where `joined` names its columns, the row that it refers to."""
    field: Any = model._meta.get_field(name)
    if joined is None:
        return f'r."{field.column}" as "{name}"'
    related = field.related_model
    pairs = ", ".join(f"'{one}', o.\"{related._meta.get_field(one).column}\"" for one in joined)
    table, key = related._meta.db_table, related._meta.pk.column
    # Not a join: rows stay in their order.
    return f'(select json_build_object({pairs}) from "{table}" o where o."{key}" = r."{field.column}") as "{name}"'


def columns(model: type[Model], readable: frozenset[str]) -> tuple[str, ...]:
    """The readable columns, the id first."""
    names = tuple(field.name for field in model._meta.concrete_fields if field.name in readable)
    return tuple(sorted(names, key=lambda name: name != "id"))


def readable_in_list(user: AnyUser, model: type[Model], event: OwnedEvent | None) -> frozenset[str]:
    """What may be read of every row of a list. Where one's own rows are all one sees, all of them."""
    found = policy.fields(user, model, event=event)
    marks = _marks(user, model)
    if not found and marks and set(marks) == {"+"}:
        resource = resource_of(model)
        names = frozenset(field.name for field in model._meta.concrete_fields)
        return policy_rules.readable(resource, "personal", names)
    return found


def references(
    user: AnyUser, model: type[Model], names: Iterable[str], event: OwnedEvent | None
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The columns of the rows that are referred to. What the user may not read of all of them stays an id."""
    found = []
    for name in names:
        related: Any = model._meta.get_field(name).related_model
        limited = event is None and any(_marks(user, related))
        readable = frozenset[str]() if limited else policy.fields(user, related, event=event)
        if "id" in readable:
            found.append((name, columns(related, readable)))
    return tuple(found)


def expansions(allowed: Sequence[str], text: str | None) -> list[str]:
    """Raises ValidationError naming what cannot be expanded."""
    asked = [] if text is None else text.split(",")
    unknown = [name for name in asked if name not in allowed]
    if unknown:
        words = {"name": unknown[0], "known": ", ".join(allowed) or "-"}
        raise ValidationError({"expand": [_("%(name)s cannot be expanded here, but: %(known)s.") % words]})
    return list(dict.fromkeys(asked))


Statement = tuple[str, Sequence[Any]]


def statement(rows: QuerySet[Any], shown: Columns, page: Page) -> Statement | None:
    """What lets PostgreSQL write the rows of a page as JSON, one text each.

    None where the order is by columns that are not shown: they would be in the answer.
    """
    names = {key.name for key in page.keys}
    if not names <= set(shown.own) or names & set(shown.joined):
        return None
    sql, parameters = page.of(rows).values_list("pk").query.sql_with_params()
    table, key = rows.model._meta.db_table, rows.model._meta.pk.column
    ids = f'SELECT "{table}"."{key}" AS "pk" FROM '
    if not sql.startswith(ids):  # rows that must be made distinct, which Django does by what is selected
        return None
    # Django would take longer to name each column than all else takes.
    return shown.as_json(rows.model, f'SELECT "{table}".* FROM {sql.removeprefix(ids)}'), parameters


@lru_cache(maxsize=512)
def kept(model: type[Model], whose: tuple[str, int], shown: Columns, page: Page) -> str | None:
    """The statement for a page of all rows of an event, or of some organizations, whose ids are its parameters.

    `whose` is the lookup and how many ids it takes. Kept, since Django takes longer to make it than to ask it.
    """
    lookup, count = whose
    ids = tuple(UUID(int=number) for number in range(count))
    rows = model._default_manager.order_by().filter(**{lookup: ids if lookup.endswith("__in") else ids[0]})
    made = statement(rows, shown, page)
    return made[0] if made and tuple(made[1]) == ids else None


def read_json(asked: Statement, page: Page) -> tuple[str, list[Any] | None]:
    """The rows of a page as JSON that PostgreSQL has written, and the values its next page starts after."""
    with connection.cursor() as cursor:
        cursor.execute(*asked)
        found = [row[0] for row in cursor.fetchall()]
    text = f"[{','.join(found[: page.limit])}]"
    if len(found) <= page.limit:
        return text, None
    last = orjson.loads(found[page.limit - 1])
    return text, [last[key.name] for key in page.keys]


def read_page(rows: QuerySet[Any], shown: Columns, page: Page) -> tuple[list[dict[str, Any]], list[Any] | None]:
    """The rows of a page, and the values its next page starts after, None on the last."""
    extra = [key.name for key in page.keys if key.name not in shown.own]
    # Distinct rows come by the order of `paths`; the keys of the order that are not shown stand at the end.
    found = list(page.of(rows).values_list(*shown.paths, *extra))
    more = len(found) > page.limit
    kept = found[: page.limit]
    if not more:
        return shown.dicts(kept), None
    names = [*shown.paths, *extra]
    return shown.dicts(kept), [kept[-1][names.index(key.name)] for key in page.keys]


def as_dict(row: Model, readable: frozenset[str]) -> dict[str, Any]:
    """A row that is loaded, as a list shows it."""
    meta = row._meta
    return {name: getattr(row, meta.get_field(name).attname) for name in columns(type(row), readable)}  # type: ignore[union-attr]


def _marks(user: AnyUser, model: type[Model]) -> list[str]:
    rights = rights_of(user)
    if rights.superuser:
        return []
    rule = policy_rules.RULES.of(resource_of(model), "view")
    return [rule[role] for role in rights.roles.values() if role in rule]
