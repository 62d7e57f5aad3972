"""Rows written: asked of the policy as they were and as they will be, held to the model's rules, saved whole."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError, models
from django.db.models import CheckConstraint, Model, UniqueConstraint
from django.utils.translation import gettext as _

from apps.accounts import policy
from apps.accounts.models import User
from apps.accounts.policy_table import SCOPES
from apps.accounts.rights import AnyUser
from apps.rest.serializers import Nested

M = TypeVar("M", bound=Model)


def check(row: Model) -> None:
    """The rules of the model, each error under the field it is about. Raises ValidationError.

    References are left out: the serializer has read the rows they name. Constraints as well: the database says them
    when the row is saved, so that nobody comes in between.
    """
    errors: dict[str, list[ValidationError]] = {}
    relations = [field.name for field in row._meta.concrete_fields if field.is_relation]
    own = [row._meta.pk.name]  # a new id is nobody else's
    for step in (lambda: row.clean_fields(exclude=relations), row.clean, lambda: row.validate_unique(exclude=own)):
        _collect(errors, step)
    if errors:
        raise ValidationError(errors)


@contextmanager
def told_by_the_database(row: Model) -> Iterator[None]:
    """A constraint of the row's model that refuses it becomes a ValidationError under the field it is about."""
    try:
        yield
    except IntegrityError as error:
        told = getattr(error.__cause__, "diag", None)
        names = {constraint.name: constraint for constraint in row._meta.constraints}
        broken = names.get(str(told.constraint_name) if told else "")
        if broken is None:
            raise
        raise ValidationError({blame(broken) or NON_FIELD_ERRORS: [_words(row, broken)]}) from error


def _words(row: Model, constraint: Any) -> Any:
    if isinstance(constraint, UniqueConstraint) and constraint.fields and constraint.condition is None:
        return row.unique_error_message(type(row), constraint.fields)
    return constraint.get_violation_error_message()


def blame(constraint: Any) -> str:
    """The field that an error of a constraint is shown at: the last it names, which is the most particular."""
    if isinstance(constraint, UniqueConstraint) and constraint.fields:
        return str(constraint.fields[-1])
    if isinstance(constraint, CheckConstraint):
        names = sorted(_names(constraint.condition))
        return names[0] if names else ""
    return ""


def refuse_strays(user: AnyUser, row: Model) -> None:
    """Raises ValidationError naming every reference that leads out of the organization."""
    if wrong := policy.strays(user, row):
        raise ValidationError({name: [message] for name, message in wrong.items()})


def assign(row: M, values: dict[str, Any]) -> M:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def save_new(user: AnyUser, row: Model) -> None:
    """Raises PermissionDenied and ValidationError; the row is saved else."""
    policy.require(user, "add", row)
    refuse_strays(user, row)
    check(row)
    with told_by_the_database(row):
        row.save(force_insert=True)


def save_inside(user: AnyUser, parent: Model, nested: Nested, rows: Iterable[dict[str, Any]]) -> None:
    """Rows that hang on one just made. Raises ValidationError naming them as `crew.0.role`."""
    for number, values in enumerate(rows):
        try:
            save_new(user, nested.model(**{nested.key: parent}, **values))
        except ValidationError as error:
            found = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
            place = f"{nested.name}.{number}"
            parts = {place if name in ("", NON_FIELD_ERRORS) else f"{place}.{name}": e for name, e in found.items()}
            raise ValidationError(parts) from error


def save_changed(user: AnyUser, row: Model, values: dict[str, Any]) -> None:
    """Raises PermissionDenied, asked before and after, and ValidationError."""
    policy.require(user, "change", row)
    refuse_unwritable(user, row, values)
    assign(row, values)
    policy.require(user, "change", row)
    refuse_strays(user, row)
    check(row)
    if values:
        with told_by_the_database(row):
            row.save(update_fields=[*values, *_stamps(row)])


def refuse_unwritable(user: AnyUser, row: Model, names: Iterable[str]) -> None:
    """Raises ValidationError naming fields the user may not set."""
    allowed = policy.writable(user, row)
    if wrong := {name: [_("You may not set this.")] for name in names if name not in allowed}:
        raise ValidationError(wrong)


def _stamps(row: Model) -> list[str]:
    return [f.name for f in row._meta.concrete_fields if isinstance(f, models.DateTimeField) and f.auto_now]


def _collect(errors: dict[str, list[ValidationError]], step: Callable[[], None]) -> None:
    try:
        step()
    except ValidationError as error:
        found = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
        for name, those in found.items():
            errors.setdefault(name, []).extend(those)


def _names(condition: Any) -> Iterable[str]:
    for child in getattr(condition, "children", ()):
        if isinstance(child, tuple):
            yield child[0].partition("__")[0]
        else:
            yield from _names(child)


def event_of_row(row: Any) -> Any:
    """The event a row belongs to, None for what belongs to none."""
    path = SCOPES[row._meta.db_table].event
    if SCOPES[row._meta.db_table].shared or not path:
        return None
    for name in () if path == "pk" else path.split("__"):
        row = getattr(row, name)
    return row


def person(user: AnyUser) -> User:
    """The user as a row, e.g. to sign a decision. Raises PermissionDenied for nobody."""
    if not isinstance(user, User):
        raise PermissionDenied(_("Say who you are."))
    return user
