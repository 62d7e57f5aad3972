"""Acts on the audit log: read a history, take a change back."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError, RestrictedError

from apps.accounts import policy
from apps.accounts.policy_table import SCOPES
from apps.accounts.rights import AnyUser
from apps.audit import queries
from apps.audit.models import Action, AuditEntry, AuditQuerySet, model_of
from apps.common.audit import because

# Evidence and documents are answered by another row, not taken back: so it stays seen what was there.
KEPT = {
    "decisions": "revoke the decision",
    "timing_records": "record another time",
    "start_lists": "publish a new version",
    "result_revisions": "publish an amendment",
}
UNKNOWN = "(not kept)"  # what sql/530_audit.sql writes in place of a secret
BOOKKEEPING = frozenset({"updated_at", "last_login", "geom"})


class RevertError(Exception):
    """A change cannot be taken back; the message says why, for an official to read."""


def timeline(entry: UUID, user: AnyUser) -> AuditQuerySet:
    """All that was done to an entry, its crew, trackers, starts, times, incidents and decisions, oldest first."""
    return _visible(user, AuditEntry.objects.all().of_entry(entry))


def history(table: str, row_id: str, user: AnyUser) -> AuditQuerySet:
    """All that was done to one row, oldest first: as much of it as `user` may see."""
    return _visible(user, AuditEntry.objects.all().of_row(table, row_id))


def _visible(user: AnyUser, lines: AuditQuerySet) -> AuditQuerySet:
    seen = policy.visible(user, lines, public=False)
    assert isinstance(seen, AuditQuerySet)  # a filter keeps the class
    return seen.select_related("event")


def revert(line: AuditEntry, user: AnyUser, reason: str) -> None:
    """Take a change back by a new change: what was changed is as before, what was made is deleted, and vice versa.

    Only while the row is still as the change left it. The policy and the row's own validation are asked as if the
    user had typed it. Raises RevertError, and PermissionDenied.
    """
    if not reason.strip():
        raise RevertError("Say why the change is taken back.")
    model = _model(line)
    with transaction.atomic(), because(f"{reason.strip()} (takes back #{line.pk})"):
        _hold_as_left(line)
        try:
            UNDO[line.action](model, line, user)
        except (ProtectedError, RestrictedError) as error:
            raise RevertError(f"Other rows hang on it by now: {_named(error)}.") from error
        except IntegrityError as error:
            raise RevertError(f"The database refuses it: {str(error).splitlines()[0]}") from error
        except ValidationError as error:
            raise RevertError(f"It is not valid any more: {'; '.join(error.messages)}") from error


def why_not(line: AuditEntry) -> str:
    """Why a change of its kind is never taken back, as a sentence; empty where it may be."""
    if line.table in KEPT:
        return f"A row of {line.table} is not taken back: {KEPT[line.table]} instead."
    if model_of(line.table) is None or line.table not in SCOPES:
        return f"Rows of {line.table} are changed in their own place, not from here."
    if UNKNOWN in (line.old or {}).values():
        return "Secrets are not kept in the log: this change cannot be taken back."
    return ""


def _model(line: AuditEntry) -> type[Model]:
    """The model of the changed row. Raises RevertError where a change of its kind is never taken back."""
    refusal, model = why_not(line), model_of(line.table)
    if refusal or model is None:
        raise RevertError(refusal)
    return model


def _hold_as_left(line: AuditEntry) -> None:
    """Lock the row. Raises RevertError, naming the columns, where it is not as the change left it."""
    now = queries.locked(line.table, line.row_id)
    if (now is None) != (line.new is None):
        raise RevertError("The row is there again." if now else "The row is gone.")
    left = line.new or {}
    later = sorted(name for name in left.keys() - BOOKKEEPING if now and now.get(name) != left[name])
    if later:
        raise RevertError(f"Changed again since then: {', '.join(later)}. Take the later change back first.")


def _undo_update(model: type[Model], line: AuditEntry, user: AnyUser) -> None:
    policy.require(user, "change", _row(model, line))
    queries.put_back(line.table, line.row_id, line.old or {})
    row = _row(model, line)
    row.full_clean()
    _permit(user, "change", row)
    row.save()  # for what follows a save: updated_at, by which others see a conflict


def _undo_insert(model: type[Model], line: AuditEntry, user: AnyUser) -> None:
    row = _row(model, line)
    policy.require(user, "delete", row)
    row.delete()


def _undo_delete(model: type[Model], line: AuditEntry, user: AnyUser) -> None:
    columns = {field.column for field in model._meta.concrete_fields}
    queries.insert(line.table, {name: value for name, value in (line.old or {}).items() if name in columns})
    row = _row(model, line)
    row.full_clean()
    _permit(user, "add", row)


UNDO = {Action.UPDATE.value: _undo_update, Action.INSERT.value: _undo_insert, Action.DELETE.value: _undo_delete}


def _row(model: type[Model], line: AuditEntry) -> Model:
    return model._default_manager.get(pk=line.row_id)


def _permit(user: AnyUser, action: str, row: Model) -> None:
    """Raises PermissionDenied, or RevertError where the row would lead into another organization."""
    policy.require(user, action, row)
    strays = policy.strays(user, row)
    if strays:
        raise RevertError("; ".join(f"{name}: {text}" for name, text in strays.items()))


def _named(error: ProtectedError | RestrictedError) -> str:
    held = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
    return ", ".join(sorted({str(row._meta.verbose_name_plural) for row in held}))
