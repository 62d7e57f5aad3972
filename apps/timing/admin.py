"""Starts, crossings and times in the admin: evidence is looked at, hardly ever written here."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.admin_policy import PolicyAdmin
from apps.common.admin import ReadOnlyAdmin, time_column
from apps.course.models import Geofence, SpeedLimitZone, Waypoint
from apps.timing.models import EntryCrossing, EntrySegmentStart, TimingRecord


@admin.register(EntrySegmentStart)
class EntrySegmentStartAdmin(PolicyAdmin[EntrySegmentStart]):
    when_empty = _("Assigned starts come with the start list: publish it at the desk.")
    list_display = ("entry", "segment", "start_position", "target_at", "actual_at", "manual_override")
    list_select_related = ("entry", "segment__stage")
    list_filter = ("segment__stage",)
    search_fields = ("entry__race_number",)
    autocomplete_fields = ("entry", "segment")


class AtControl(PolicyAdmin[Any]):
    """Of a table whose rows name a control by its id: shows what people call it."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        names = (
            Subquery(model._base_manager.filter(pk=OuterRef("control")).values("name")[:1])
            for model in (Waypoint, Geofence, SpeedLimitZone)
        )
        rows: QuerySet[Any] = super().get_queryset(request).annotate(named=Coalesce(*names))
        return rows

    @admin.display(description=_("control"))
    def control_name(self, row: Any) -> str:
        return row.named or str(row.control)


@admin.register(EntryCrossing)
class EntryCrossingAdmin(ReadOnlyAdmin[EntryCrossing], AtControl):
    when_empty = _("Crossings come by themselves once the course is drawn and trackers send.")
    list_display = ("entry", "control_name", "direction", "at", "uncertainty_ms", "closest", "device")
    list_select_related = ("entry",)
    list_filter = ("entry__event", "direction")
    search_fields = ("entry__race_number",)
    at = time_column("ts", _("time (UTC)"))

    @admin.display(description=_("smallest distance, m"), ordering="min_distance_m")
    def closest(self, crossing: EntryCrossing) -> str:
        return "–" if crossing.min_distance_m is None else f"{crossing.min_distance_m:.1f}"


@admin.register(TimingRecord)
class TimingRecordAdmin(AtControl):
    """Evidence: it may be added, never edited or deleted; it is taken back at the desk."""

    when_empty = _("No time was entered by hand yet. That is done at the timing desk.")
    list_display = ("entry", "control_name", "source", "ts", "status", "author", "withdrawn_at")
    list_select_related = ("entry", "author")
    list_filter = ("source", "status")
    search_fields = ("entry__race_number",)
    autocomplete_fields = ("entry", "author")
    readonly_fields = ("at_the_desk",)

    @admin.display(description=_("take back"))
    def at_the_desk(self, record: TimingRecord) -> SafeString | str:
        if record._state.adding:
            return "–"
        address = reverse("admin:desk_record", args=[record.entry.event_id, record.pk])
        return format_html('<a href="{}">{}</a>', address, gettext("At the desk"))

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False
