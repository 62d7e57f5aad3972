"""Lines of the log in the words of those who read them: names of columns, and of the rows that keys lead to."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field, Model
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _

from apps.accounts import policy
from apps.accounts.rights import AnyUser
from apps.audit.models import Action, AuditEntry, Change
from apps.audit.services import why_not

UNTOLD = {"id", "created_at", "updated_at"}
LONGEST = 120
Names = Mapping[tuple[type[Model], str], str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A column of a line; `old` and `new` are empty where there was or is nothing."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A line as pages show it. `can_revert`: nothing known speaks against taking it back."""

    line: AuditEntry
    what: str
    differences: tuple[Difference, ...]
    can_revert: bool


def readings(lines: Iterable[AuditEntry], user: AnyUser) -> list[Reading]:
    """A query for each kind of row the lines lead to, however many lines there are."""
    lines = list(lines)
    names = _names(lines, user)
    return [_reading(line, names, user) for line in lines]


def _reading(line: AuditEntry, names: Names, user: AnyUser) -> Reading:
    told = [change for change in line.changes() if line.action == Action.UPDATE or _tells(change)]
    may = not why_not(line) and policy.holds(user, "revert", "audit_log")
    return Reading(line, title(line), tuple(_difference(line, change, names) for change in told), may)


def title(line: AuditEntry) -> str:
    """The kind of row, e.g. Entry crew."""
    return str(capfirst(line.model._meta.verbose_name)) if line.model else line.table


def _tells(change: Change) -> bool:
    """Of a row that was made or deleted: not its key, and nothing empty."""
    return change.column not in UNTOLD and (change.old or change.new) not in (None, "", [], {})


def _difference(line: AuditEntry, change: Change, names: Names) -> Difference:
    field = _field(line, change.column)
    label = str(capfirst(field.verbose_name)) if field else change.column
    return Difference(label, _shown(field, change.old, names), _shown(field, change.new, names))


def _field(line: AuditEntry, column: str) -> "Field[Any, Any] | None":
    fields = line.model._meta.concrete_fields if line.model else ()
    return next((field for field in fields if field.column == column), None)


def _shown(field: "Field[Any, Any] | None", value: Any, names: Names) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if field is not None and isinstance(field.related_model, type):
        return names.get((field.related_model, str(value)), str(value))
    if isinstance(value, dict | list):
        return Truncator(json.dumps(value, ensure_ascii=False)).chars(LONGEST)
    return Truncator(str(dict(field.flatchoices).get(value, value) if field is not None else value)).chars(LONGEST)


def _names(lines: list[AuditEntry], user: AnyUser) -> Names:
    """What the rows are called that the lines refer to and `user` may see."""
    wanted: dict[type[Model], set[str]] = {}
    for line in lines:
        for change in line.changes():
            field = _field(line, change.column)
            if field is not None and isinstance(field.related_model, type):
                keys = {str(value) for value in (change.old, change.new) if value is not None}
                wanted.setdefault(field.related_model, set()).update(keys)
    return {(model, key): name for model, keys in wanted.items() for key, name in _called(model, keys, user).items()}


def _called(model: type[Model], keys: set[str], user: AnyUser) -> dict[str, str]:
    named_after = [field.name for field in model._meta.concrete_fields if field.is_relation]
    rows = model._default_manager.filter(pk__in=keys).select_related(*named_after)  # an alert is called by its entry
    try:
        seen = policy.visible(user, rows)
    except LookupError:  # none of the policy's tables: Django's own
        return {}
    return {str(row.pk): str(row) for row in seen}


def row_of(line: AuditEntry) -> Model | None:
    """The row as it is now, None when it is gone."""
    if line.model is None:
        return None
    try:
        return line.model._default_manager.filter(pk=line.row_id).first()
    except (ValidationError, ValueError):
        return None
