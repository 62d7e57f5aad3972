from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.penalties.models import EntryPenalty, PenaltyFormula


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
