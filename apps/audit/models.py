"""The audit log, as sql/530_audit.sql keeps it: read here, written by the database's triggers alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, User
from apps.events.models import Entry, Event

AN_ACT = timedelta(hours=1)  # longer than any lasts


class Action(models.TextChoices):
    INSERT = "insert", _("made")
    UPDATE = "update", _("changed")
    DELETE = "delete", _("deleted")


@dataclass(frozen=True, slots=True)
class Change:
    """One column of a changed row; None where there was or is nothing."""

    column: str
    old: Any
    new: Any


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def of_row(self, table: str, row_id: str) -> "AuditQuerySet":
        """The history of one row, oldest first."""
        return self.filter(table=table, row_id=row_id).order_by("id")

    def together(self, line: "AuditEntry") -> "AuditQuerySet":
        """All that one act wrote, the latest first: an import, a deletion with what hung on it, a form with its rows.

        A database that was restored begins to count its transactions anew: so who and when are asked as well.
        """
        near = (line.at - AN_ACT, line.at + AN_ACT)
        same = self.filter(transaction_id=line.transaction_id, door=line.door, user=line.user_id, at__range=near)
        return same.order_by("-id")

    def of_entry(self, entry: UUID) -> "AuditQuerySet":
        """All about an entry and what belongs to it, oldest first; also what was moved from it to another."""
        return self.filter(
            models.Q(entry_id=entry) | models.Q(action=Action.UPDATE, old__entry_id=str(entry))
        ).order_by("id")


def _loose(to: Any, label: Any) -> "models.ForeignKey[Any, Any]":
    """A key without a constraint: the log outlives what it is about."""
    return models.ForeignKey(
        to, models.DO_NOTHING, verbose_name=label, null=True, db_constraint=False, related_name="+"
    )


class AuditEntry(models.Model):
    """One change of one row. `old` and `new` are the whole row, or of an update the columns that changed."""

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(_("time"))
    transaction_id = models.BigIntegerField(_("transaction"))
    table = models.TextField(_("table"), db_column="table_name")
    row_id = models.TextField(_("row"))
    action = models.TextField(_("action"), choices=Action.choices)
    old = models.JSONField(_("old"), null=True)
    new = models.JSONField(_("new"), null=True)
    user = _loose(User, _("user"))
    who = models.TextField(_("who"))
    door = models.TextField(_("door"))
    reason = models.TextField(_("reason"))
    organization = _loose(Organization, _("organization"))
    event = _loose(Event, _("event"))
    entry = _loose(Entry, _("entry"))

    told: Any = ()  # the differences in words, where `reading` has put them

    objects: ClassVar[models.Manager["AuditEntry"]] = AuditQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "audit_log"
        ordering = ("-id",)
        default_permissions = ("view",)
        verbose_name = _("change")
        verbose_name_plural = _("audit log")

    def __str__(self) -> str:
        return f"#{self.pk} {self.table} {self.action}"

    @property
    def model(self) -> type[models.Model] | None:
        """The model of the table, None where the table is gone."""
        return model_of(self.table)

    def changes(self) -> Iterator[Change]:
        """Column by column in the order of the model's fields."""
        old, new = self.old or {}, self.new or {}
        known = [field.column for field in self.model._meta.concrete_fields] if self.model else []
        columns = sorted({*old, *new}, key=lambda name: (known.index(name) if name in known else len(known), name))
        return (Change(name, old.get(name), new.get(name)) for name in columns)


def model_of(table: str) -> type[models.Model] | None:
    found = (model for model in apps.get_models(include_auto_created=True) if model._meta.db_table == table)
    return next(found, None)
