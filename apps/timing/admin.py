from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.admin import ReadOnlyAdmin
from apps.timing.models import EntryCrossing, EntrySegmentStart, StartList, StartOverride, TimingRecord


@admin.register(EntrySegmentStart)
class EntrySegmentStartAdmin(admin.ModelAdmin[EntrySegmentStart]):
    list_display = ("entry", "segment", "start_position", "target_at", "actual_at", "manual_override")
    list_select_related = ("entry", "segment__stage")
    list_filter = ("segment__stage",)
    search_fields = ("entry__race_number",)
    autocomplete_fields = ("entry", "segment")


@admin.register(EntryCrossing)
class EntryCrossingAdmin(ReadOnlyAdmin[EntryCrossing]):
    list_display = ("entry", "control", "direction", "ts", "uncertainty_ms", "min_distance_m", "device")
    list_select_related = ("entry",)
    list_filter = ("entry__event", "direction")
    search_fields = ("entry__race_number",)


@admin.register(TimingRecord)
class TimingRecordAdmin(admin.ModelAdmin[TimingRecord]):
    """Evidence: it may be added, never edited or deleted."""

    list_display = ("entry", "control", "source", "ts", "status", "author")
    list_select_related = ("entry", "author")
    list_filter = ("source", "status")
    search_fields = ("entry__race_number",)
    autocomplete_fields = ("entry", "author")

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(StartOverride)
class StartOverrideAdmin(admin.ModelAdmin[StartOverride]):
    """A decision: it may be made and revoked, never edited or deleted. The next start list heeds it."""

    list_display = ("stage", "entry", "position", "after", "start_at", "reason", "author", "revoked_at", "revoked_by")
    list_select_related = ("stage", "entry", "after", "author", "revoked_by")
    list_filter = ("stage__event", "stage", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("entry__race_number", "reason")
    autocomplete_fields = ("entry", "after")
    exclude = ("author",)
    actions = ("revoke",)

    @admin.action(description=_("Revoke"), permissions=["add"])
    def revoke(self, request: HttpRequest, rows: QuerySet[StartOverride]) -> None:
        now = timezone.now()
        rows.filter(revoked_at=None).update(revoked_at=now, revoked_by_id=request.user.pk, updated_at=now)

    def save_model(self, request: HttpRequest, obj: StartOverride, form: Any, change: bool) -> None:
        obj.author_id = request.user.pk
        super().save_model(request, obj, form, change)

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(StartList)
class StartListAdmin(ReadOnlyAdmin[StartList]):
    list_display = ("stage", "version", "state", "published_at", "author", "reason", "hash")
    list_select_related = ("stage", "author")
    list_filter = ("stage__event", "stage", "state")
    search_fields = ("stage__name", "reason")
