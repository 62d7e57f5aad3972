"""Rows that hang on others, read with them: `expand=crew` gives an entry's crew in its place."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.accounts import policy
from apps.accounts.places import OwnedEvent
from apps.accounts.rights import AnyUser
from apps.rest import reading
from apps.rest.serializers import Nested


def attach(user: AnyUser, rows: list[dict[str, Any]], nested: Iterable[Nested], event: OwnedEvent | None) -> None:
    """Put the rows that hang on these under their names, as far as the user may see them. One query a kind."""
    for one in nested:
        found = _of(user, one, [row["id"] for row in rows], event)
        for row in rows:
            row[one.name] = found.get(row["id"], [])


def _of(user: AnyUser, one: Nested, ids: list[Any], event: OwnedEvent | None) -> Mapping[Any, list[dict[str, Any]]]:
    readable = reading.readable_in_list(user, one.model, event)
    if not readable:
        return {}
    names = reading.columns(one.model, readable | {one.key})
    rows = policy.visible(user, one.model._default_manager.filter(**{f"{one.key}__in": ids}))
    place = names.index(one.key)
    found: dict[Any, list[dict[str, Any]]] = {}
    for row in rows.values_list(*names):
        found.setdefault(row[place], []).append(dict(zip(names, row, strict=True)))
    return found
