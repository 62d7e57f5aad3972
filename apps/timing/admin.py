from django.contrib import admin

from apps.accounts.admin_policy import PolicyAdmin
from apps.common.admin import ReadOnlyAdmin
from apps.timing.models import EntryCrossing, EntrySegmentStart, TimingRecord


@admin.register(EntrySegmentStart)
class EntrySegmentStartAdmin(PolicyAdmin[EntrySegmentStart]):
    list_display = ("entry", "segment", "start_position", "target_at", "actual_at", "manual_override")
    list_select_related = ("entry", "segment__stage")
    list_filter = ("segment__stage",)
    search_fields = ("entry__race_number",)
    autocomplete_fields = ("entry", "segment")


@admin.register(EntryCrossing)
class EntryCrossingAdmin(ReadOnlyAdmin[EntryCrossing], PolicyAdmin[EntryCrossing]):
    list_display = ("entry", "control", "direction", "ts", "uncertainty_ms", "min_distance_m", "device")
    list_select_related = ("entry",)
    list_filter = ("entry__event", "direction")
    search_fields = ("entry__race_number",)


@admin.register(TimingRecord)
class TimingRecordAdmin(PolicyAdmin[TimingRecord]):
    """Evidence: it may be added, never edited or deleted."""

    list_display = ("entry", "control", "source", "ts", "status", "author", "withdrawn_at")
    list_select_related = ("entry", "author")
    list_filter = ("source", "status")
    search_fields = ("entry__race_number",)
    autocomplete_fields = ("entry", "author")

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False
