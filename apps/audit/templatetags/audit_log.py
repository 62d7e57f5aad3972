"""What the pages of other apps show of the log."""

from typing import Any

from django import template
from django.db.models import Model

from apps.accounts import policy
from apps.accounts.rights import AnyUser
from apps.audit import services
from apps.audit.models import AuditEntry
from apps.audit.reading import Reading, readings

LATEST = 200
register = template.Library()


@register.simple_tag
def row_history(row: Model, user: AnyUser) -> list[Reading]:
    """The latest changes of a row, newest first."""
    lines = services.history(row._meta.db_table, str(row.pk), user).order_by("-id")
    return readings(lines[:LATEST], user)


@register.filter
def reads_log(user: Any) -> bool:
    """Whether the log is shown to them at all."""
    return policy.holds(user, "view", AuditEntry)
