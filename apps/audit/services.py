"""Acts on the audit log: read a history, take a change back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError, RestrictedError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts import policy
from apps.accounts.policy_table import SCOPES
from apps.accounts.rights import AnyUser
from apps.audit import queries
from apps.audit.models import Action, AuditEntry, AuditQuerySet, model_of
from apps.common.audit import because
from apps.common.base import Row

# Evidence and documents are answered by another row, not taken back: so it stays seen what was there.
KEPT = {
    "decisions": gettext_lazy("revoke the decision"),
    "timing_records": gettext_lazy("record another time"),
    "start_lists": gettext_lazy("publish a new version"),
    "race_log": gettext_lazy("take the line back at the race-control page"),
    "result_revisions": gettext_lazy("publish an amendment"),
}
MOST = 5000  # changes taken back at once
# What several organizations share stays as it is: others may know it by now. That a rules profile was applied stays on
# record.
STAYS = frozenset({*(table for table, scope in SCOPES.items() if scope.shared), "profile_uses"})
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
    _revert([line], user, reason)


def revert_together(line: AuditEntry, user: AnyUser, reason: str) -> int:
    """Take back all that the act of a line did, the latest first: all of it or nothing; how many changes.

    What it made of `STAYS` stays. Raises as `revert`.
    """
    lines = of_the_act(line)
    if len(lines) > MOST:
        raise RevertError(_("It made more than %(most)d changes: take them back in parts.") % {"most": MOST})
    _revert(lines, user, reason)
    return len(lines)


def of_the_act(line: AuditEntry) -> list[AuditEntry]:
    """What `revert_together` would take back, the latest first."""
    lines = AuditEntry.objects.all().together(line).select_related("event")
    return [one for one in lines if one.table not in STAYS]


def _revert(lines: Sequence[AuditEntry], user: AnyUser, reason: str) -> None:
    if not reason.strip():
        raise RevertError(_("Say why the change is taken back."))
    with transaction.atomic():
        for line in lines:
            policy.require(user, "revert", line)
            with because(f"{reason.strip()} (takes back #{line.pk})"):
                _revert_one(line, user)


def _revert_one(line: AuditEntry, user: AnyUser) -> None:
    model = _model(line)
    _hold_as_left(line)
    try:
        UNDO[line.action](model, line, user)
    except (ProtectedError, RestrictedError) as error:
        raise RevertError(_("Other rows hang on it by now: %(rows)s.") % {"rows": _named(error)}) from error
    except IntegrityError as error:
        why = {"why": str(error).splitlines()[0]}
        raise RevertError(_("The database refuses it: %(why)s") % why) from error
    except ValidationError as error:
        why = {"why": "; ".join(error.messages)}
        raise RevertError(_("It is not valid any more: %(why)s") % why) from error


def why_not(line: AuditEntry) -> str:
    """Why a change of its kind is never taken back, as a sentence; empty where it may be."""
    if line.table in KEPT:
        words = {"table": line.table, "instead": KEPT[line.table]}
        return _("A row of %(table)s is not taken back: %(instead)s instead.") % words
    if model_of(line.table) is None or line.table not in SCOPES:
        return _("Rows of %(table)s are changed in their own place, not from here.") % {"table": line.table}
    if UNKNOWN in (line.old or {}).values():
        return _("Secrets are not kept in the log: this change cannot be taken back.")
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
        raise RevertError(_("The row is there again.") if now else _("The row is gone."))
    left = line.new or {}
    later = sorted(name for name in left.keys() - BOOKKEEPING if now and now.get(name) != left[name])
    if later:
        told = _("Changed again since then: %(columns)s. Take the later change back first.")
        raise RevertError(told % {"columns": ", ".join(later)})


def _undo_update(model: type[Model], line: AuditEntry, user: AnyUser) -> None:
    policy.require(user, "change", _row(model, line))
    _refuse_wrong(user, "change", _as_it_was(model, line))
    queries.put_back(line.table, line.row_id, line.old or {})
    _row(model, line).save()  # for what follows a save: updated_at, by which others see a conflict


def _undo_insert(model: type[Model], line: AuditEntry, user: AnyUser) -> None:
    row = _row(model, line)
    policy.require(user, "delete", row)
    if isinstance(row, Row):
        row.refuse_removal()
    row.delete()


def _undo_delete(model: type[Model], line: AuditEntry, user: AnyUser) -> None:
    _refuse_wrong(user, "add", _as_it_was(model, line))
    queries.insert(line.table, _columns(model, line))


def _as_it_was(model: type[Model], line: AuditEntry) -> Model:
    """The row as it would be, with the database as it is: so that `clean`, which compares the two, sees a change."""
    with transaction.atomic():
        if line.action == Action.DELETE:
            queries.insert(line.table, _columns(model, line))
        else:
            queries.put_back(line.table, line.row_id, line.old or {})
        row = _row(model, line)
        transaction.set_rollback(True)
    row._state.adding = line.action == Action.DELETE
    return row


def _refuse_wrong(user: AnyUser, action: str, row: Model) -> None:
    """Raises ValidationError, PermissionDenied or RevertError, as if the user had typed it."""
    row.full_clean()
    _permit(user, action, row)


def _columns(model: type[Model], line: AuditEntry) -> dict[str, Any]:
    columns = {field.column for field in model._meta.concrete_fields}
    return {name: value for name, value in (line.old or {}).items() if name in columns}


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
