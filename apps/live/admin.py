from django.contrib import admin

from apps.accounts.admin_policy import PolicyAdmin
from apps.common.admin import ReadOnlyAdmin
from apps.live.models import Acknowledgement


@admin.register(Acknowledgement)
class AcknowledgementAdmin(ReadOnlyAdmin[Acknowledgement], PolicyAdmin[Acknowledgement]):
    """To read: they are made in race control, and are evidence."""

    list_display = ("entry", "alarm_ts", "author", "created_at")
    list_select_related = ("entry", "author")
    search_fields = ("entry__race_number", "author__email")
