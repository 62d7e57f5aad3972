from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.accounts.admin_policy import PolicyAdmin
from apps.common.admin import ReadOnlyAdmin, choices_in_words
from apps.racelog.models import LogLine, RaceControlSettings

SERVICES = choices_in_words("services", _("services that report go"))


@admin.register(RaceControlSettings)
class RaceControlSettingsAdmin(PolicyAdmin[RaceControlSettings]):
    list_display = (
        "event",
        choices_in_words("services", _("services that report go")),
        "controls",
        "opening",
    )
    list_select_related = ("event",)


@admin.register(LogLine)
class LogLineAdmin(ReadOnlyAdmin[LogLine], PolicyAdmin[LogLine]):
    """To read: lines are written and taken back at the desk's race-control page."""

    when_empty = _("The log is written at the desk, under Race control.")
    list_display = ("at", "event", "stage", "kind", "entry", "text", "author")
    list_select_related = ("event", "stage", "entry", "author")
    list_filter = ("event", "stage", "kind")
    search_fields = ("text", "entry__race_number")
