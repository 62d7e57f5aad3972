from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.accounts.admin_policy import PolicyAdmin
from apps.common.admin import ReadOnlyAdmin
from apps.safety.models import Accounting, Alert, AlertLine, SafetySettings, StageClosing


@admin.register(SafetySettings)
class SafetySettingsAdmin(PolicyAdmin[SafetySettings]):
    list_display = ("event", "stopped_seconds", "silent_seconds", "overdue_seconds")
    list_select_related = ("event",)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin[Alert], PolicyAdmin[Alert]):
    """To read: acts are done at the safety desk."""

    when_empty = _("No alert was raised. Alerts are looked after at the desk, under Safety.")
    list_display = ("entry", "kind", "severity", "raised_at", "acknowledged_by", "owner", "closed_at")
    list_select_related = ("entry", "acknowledged_by", "owner")
    list_filter = ("event", "kind", "severity")
    search_fields = ("entry__race_number",)


@admin.register(AlertLine)
class AlertLineAdmin(ReadOnlyAdmin[AlertLine], PolicyAdmin[AlertLine]):
    when_empty = _("What is done about an alert is told here; it is done at the desk, under Safety.")
    list_display = ("created_at", "alert", "act", "author", "text")
    list_select_related = ("alert__entry", "author")


@admin.register(Accounting)
class AccountingAdmin(ReadOnlyAdmin[Accounting], PolicyAdmin[Accounting]):
    """To read: crews are accounted for, and that is withdrawn, at the safety desk."""

    when_empty = _("Crews are accounted for at the desk, under Safety, when a stage is closed.")
    list_display = ("stage", "entry", "reason", "author", "created_at", "withdrawn_at")
    list_select_related = ("stage", "entry", "author")


@admin.register(StageClosing)
class StageClosingAdmin(ReadOnlyAdmin[StageClosing], PolicyAdmin[StageClosing]):
    """To read: a stage is closed and reopened at the safety desk."""

    when_empty = _("Stages are closed at the desk, under Safety.")
    list_display = ("stage", "created_at", "author", "reopened_at", "reopened_by")
    list_select_related = ("stage", "author", "reopened_by")
