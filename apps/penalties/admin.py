from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.admin_policy import PolicyAdmin
from apps.common.admin import ReadOnlyAdmin, document_links
from apps.course.retroactive_admin import NotBackwardsAdmin
from apps.events.admin import PANELS
from apps.events.models import Event
from apps.penalties.checklist import open_settings
from apps.penalties.models import Decision, EntryIncident, EntryPenalty, PenaltyFormula, ProfileUse, RuleAnswer
from apps.penalties.words import code_in_words, offence_in_words

# What the evidence of a profile's rule vouches for.
VOUCHED = ("type", "target", "offence_min", "offence_max", "penalty", "bracket_mode", "params")


def open_settings_panel(event: Event) -> SafeString:
    """The checklist of rulebook §11 in the event's form: what is open, each with the page where it is settled."""
    lines = [
        (one.link, one.number, one.sentence, _(" It forbids publishing.") if one.blocking else "")
        for one in open_settings(event)
    ]
    if not lines:
        return format_html("<p>{}</p>", _("Rules: nothing is open."))
    items = format_html_join("", '<li><a href="{}">{}. {}</a><strong>{}</strong></li>', lines)
    return format_html("<details open><summary>{}</summary><ul>{}</ul></details>", _("Rules: still open"), items)


PANELS.append(open_settings_panel)


def _differs(row: PenaltyFormula, before: PenaltyFormula) -> bool:
    return any(getattr(row, name) != getattr(before, name) for name in VOUCHED)


@admin.register(PenaltyFormula)
class PenaltyFormulaAdmin(NotBackwardsAdmin[PenaltyFormula], PolicyAdmin[PenaltyFormula]):
    list_display = ("type", "about", "offence_min", "offence_max", "penalty", "grade", "event", "enabled")
    list_select_related = ("event",)
    list_filter = ("event", "type", "enabled", "grade")

    @admin.display(description=gettext_lazy("target"), ordering="target")
    def about(self, row: PenaltyFormula) -> str:
        return code_in_words(row.target)

    def save_model(self, request: HttpRequest, obj: PenaltyFormula, form: Any, change: bool) -> None:
        """An edited value is the event's own: the profile's evidence no longer vouches for it, unless told anew."""
        told = {"grade", "source"} & set(form.changed_data)
        if change and not told and _differs(obj, PenaltyFormula.objects.get(pk=obj.pk)):
            obj.grade = obj.source = ""
        super().save_model(request, obj, form, change)


@admin.register(ProfileUse)
class ProfileUseAdmin(ReadOnlyAdmin[ProfileUse], PolicyAdmin[ProfileUse]):
    """Profiles are applied by `manage.py rules`, which checks them as a whole."""

    when_empty = gettext_lazy("No set of rules was loaded yet: manage.py rules loads one.")
    list_display = ("event", "name", "version", "author", "created_at")
    list_select_related = ("event", "author")
    list_filter = ("event",)
    search_fields = ("name",)


@admin.register(RuleAnswer)
class RuleAnswerAdmin(PolicyAdmin[RuleAnswer]):
    list_display = ("key", "event", "answer", "still_open", "answered_by", "answered_at")
    list_select_related = ("event", "answered_by")
    list_filter = ("event",)
    search_fields = ("answer", "still_open")
    readonly_fields = ("answered_by", "answered_at")

    def save_model(self, request: HttpRequest, obj: RuleAnswer, form: Any, change: bool) -> None:
        """Whoever saves an answer has given it."""
        obj.answered_by, obj.answered_at = request.user, datetime.now(UTC)  # type: ignore[assignment]
        super().save_model(request, obj, form, change)


@admin.register(EntryPenalty)
class EntryPenaltyAdmin(ReadOnlyAdmin[EntryPenalty], PolicyAdmin[EntryPenalty]):
    when_empty = gettext_lazy("The rules have found nothing to penalise yet.")
    list_display = ("entry", "stage", "offence", "seconds", "article", "status", "author")
    list_select_related = ("entry", "stage", "author")
    list_filter = ("stage__event", "type", "status")
    search_fields = ("entry__race_number",)

    @admin.display(description=gettext_lazy("offence"), ordering="key")
    def offence(self, row: EntryPenalty) -> str:
        return offence_in_words(row.key)


@admin.register(EntryIncident)
class EntryIncidentAdmin(PolicyAdmin[EntryIncident]):
    list_display = ("entry", "stage", "what", "at", "value_ms", "author", "withdrawn_at")
    list_select_related = ("entry", "stage", "author")
    list_filter = ("stage__event", "kind")
    search_fields = ("entry__race_number", "note")
    autocomplete_fields = ("entry", "stage", "author")

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def what(self, row: EntryIncident) -> str:
        return code_in_words(row.kind)

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin[Decision], PolicyAdmin[Decision]):
    """Decisions are made and revoked by `apps.scoring.decisions`, which scores them too."""

    when_empty = gettext_lazy("Decisions are made at the desk, under Decisions.")
    list_display = ("number", "event", "kind", "entry", "stage", "author", "created_at", "revoked_at", "sheet")
    list_select_related = ("event", "entry", "stage", "author")
    list_filter = ("event", "kind")
    search_fields = ("entry__race_number", "reason", "document")

    @admin.display(description=gettext_lazy("sheet"))
    def sheet(self, decision: Decision) -> SafeString:
        return document_links(decision.pk, {"decision": _("sheet")})
