"""Which fields of a list may be shown and asked for: those the policy lets a user read, also of related rows."""

from typing import Any

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from apps.accounts import policy
from apps.accounts.policy_table import SCOPES
from apps.accounts.rights import AnyUser

EMPTY, FILLED = "empty", "filled"
# How a field is compared: suffix of the lookup → words.
WORDS: dict[str, Any] = {
    "exact": _("is"),
    "icontains": _("contains"),
    "gte": _("is at least"),
    "lte": _("is at most"),
}
# What may be asked; the last two become a lookup by what kind of field it is (`admin_filters`).
ASKED: dict[str, Any] = WORDS | {EMPTY: _("is empty"), FILLED: _("is not empty")}
LOOKUPS = frozenset({*WORDS, "isnull", "gt"})
FAR = 2  # relations followed


def readable_paths(user: AnyUser, model: type[models.Model], far: int = FAR) -> dict[str, str]:
    """Path as in a lookup → its words, over at most `far` relations; every step is a field the user may read."""
    found: dict[str, str] = {}
    if model._meta.db_table not in SCOPES:
        return found
    readable = policy.fields(user, model)
    for field in model._meta.concrete_fields:
        if field.name in readable and not isinstance(field, models.JSONField | models.UUIDField):
            found |= _of(user, field, far)
    return found


def _of(user: AnyUser, field: Any, far: int) -> dict[str, str]:
    words = capfirst(str(field.verbose_name))
    if not field.is_relation:
        return {field.name: words}
    if not far or not isinstance(field.related_model, type):
        return {}
    beyond = readable_paths(user, field.related_model, far - 1)
    return {f"{field.name}__{path}": f"{words} › {name}" for path, name in beyond.items()}


def is_lookup(paths: dict[str, str], lookup: str) -> bool:
    """Whether a parameter of the address is one of the paths with one of the operators."""
    path, _sep, operator = lookup.rpartition("__")
    return lookup in paths or (path in paths and operator in LOOKUPS)


def field_at(model: type[models.Model], path: str) -> Any:
    """The field a path leads to; the path is one of `readable_paths`."""
    head, _sep, rest = path.partition("__")
    field: Any = model._meta.get_field(head)
    return field_at(field.related_model, rest) if rest else field
