from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.accounts.admin_policy import PolicyAdmin
from apps.common.admin import ReadOnlyAdmin, document_links, duration_column
from apps.scoring import start_admin as start_admin
from apps.scoring.models import EventResult, OutboxRow, ResultRevision, StageResult


@admin.register(StageResult)
class StageResultAdmin(ReadOnlyAdmin[StageResult], PolicyAdmin[StageResult]):
    when_empty = _("Results come with the first crossing, or the first time entered by hand.")
    list_display = ("rank", "entry", "stage", "status", "time", "penalty", "total", "class_rank")
    time = duration_column("time_ms", _("time"))
    penalty = duration_column("penalty_ms", _("penalty"))
    total = duration_column("total_ms", _("total"))
    list_select_related = ("entry", "stage")
    list_filter = ("stage__event", "stage", "status")
    search_fields = ("entry__race_number",)


@admin.register(EventResult)
class EventResultAdmin(ReadOnlyAdmin[EventResult], PolicyAdmin[EventResult]):
    when_empty = _("Results come with the first crossing, or the first time entered by hand.")
    list_display = ("rank", "entry", "event", "status", "completed_stages", "penalty", "total")
    penalty = duration_column("penalty_ms", _("penalty"))
    total = duration_column("total_ms", _("total"))
    list_select_related = ("entry", "event")
    list_filter = ("event", "status")
    search_fields = ("entry__race_number",)


@admin.register(ResultRevision)
class ResultRevisionAdmin(ReadOnlyAdmin[ResultRevision], PolicyAdmin[ResultRevision]):
    when_empty = _("Results are published at the desk, under Results.")
    list_display = ("event", "stage", "number", "state", "protest_until", "published_by", "hash", "documents")
    list_select_related = ("event", "stage", "published_by")
    readonly_fields = ("documents",)

    @admin.display(description=_("documents"))
    def documents(self, revision: ResultRevision) -> SafeString:
        kinds = {
            "classification": _("scratch"),
            "classification-by-class": _("classes"),
            "classification-of-teams": _("teams"),
            "penalty-list": _("penalties"),
        }
        return document_links(revision.pk, kinds)


@admin.register(OutboxRow)
class OutboxRowAdmin(ReadOnlyAdmin[OutboxRow], PolicyAdmin[OutboxRow]):
    list_display = ("topic", "seq", "created_at")
