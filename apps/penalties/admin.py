from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.penalties.models import Decision, EntryIncident, EntryPenalty, PenaltyFormula


@admin.register(PenaltyFormula)
class PenaltyFormulaAdmin(admin.ModelAdmin[PenaltyFormula]):
    list_display = ("type", "target", "offence_min", "offence_max", "penalty", "event", "enabled")
    list_select_related = ("event",)
    list_filter = ("event", "type", "enabled")


@admin.register(EntryPenalty)
class EntryPenaltyAdmin(ReadOnlyAdmin[EntryPenalty]):
    list_display = ("entry", "stage", "key", "seconds", "status", "author")
    list_select_related = ("entry", "stage", "author")
    list_filter = ("stage__event", "type", "status")
    search_fields = ("entry__race_number",)


@admin.register(EntryIncident)
class EntryIncidentAdmin(admin.ModelAdmin[EntryIncident]):
    list_display = ("entry", "stage", "kind", "at", "value_ms", "author", "withdrawn_at")
    list_select_related = ("entry", "stage", "author")
    list_filter = ("stage__event", "kind")
    search_fields = ("entry__race_number", "note")
    autocomplete_fields = ("entry", "stage", "author")

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin[Decision]):
    """Decisions are made and revoked by `apps.scoring.decisions`, which scores them too."""

    list_display = ("number", "event", "kind", "entry", "stage", "author", "created_at", "revoked_at")
    list_select_related = ("event", "entry", "stage", "author")
    list_filter = ("event", "kind")
    search_fields = ("entry__race_number", "reason", "document")
