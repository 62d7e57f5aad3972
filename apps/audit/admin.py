"""The audit log in the admin: read, followed along an entry, and a change taken back. Nothing of it is edited."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts import admin_conflict, policy
from apps.accounts.admin_policy import PolicyAdmin, person
from apps.accounts.policy_table import SCOPES
from apps.audit import services
from apps.audit.models import AuditEntry, model_of
from apps.audit.reading import readings, row_of, title
from apps.common.admin import ReadOnlyAdmin
from apps.events.models import Entry

NAME = "audit_auditentry"
PAGE_SIZE = 100
DOORS = {
    "admin": gettext_lazy("race office"),
    "rest": gettext_lazy("REST"),
    "page": gettext_lazy("public pages"),
    "scorer": gettext_lazy("scorer"),
    "sql": gettext_lazy("SQL"),
}
SHOWN = 200  # changes of an act on the page that takes it back
SHORT = 3  # differences of a line in the list
ASKED = {"entry__id__exact", "user__id__exact", "row_id", "table"}  # links of other pages


class TableFilter(admin.SimpleListFilter):
    """Without asking the log itself, which is long, what there is in it."""

    title = gettext_lazy("kind of row")
    parameter_name = "table"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        models = [(table, model_of(table)) for table in SCOPES]
        named = [(table, str(model._meta.verbose_name)) for table, model in models if model is not None]
        return sorted(named, key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(table=self.value()) if self.value() else queryset


class DoorFilter(admin.SimpleListFilter):
    title = gettext_lazy("door")
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*DOORS.items(), ("other", gettext_lazy("commands and others"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        if self.value() == "other":
            return queryset.exclude(door__in=DOORS)
        return queryset.filter(door=self.value()) if self.value() else queryset


class RevertForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry], PolicyAdmin[AuditEntry]):
    when_empty = gettext_lazy("Nothing has been changed yet. Every change is told here by itself.")
    list_display = ("when", "who", "through", "kind", "action", "reason", "difference")
    list_display_links = ("when",)
    list_filter = (("at", admin.DateFieldListFilter), TableFilter, "action", DoorFilter, "event")
    search_fields = ("who", "reason", "=row_id", "=entry__race_number")
    search_help_text = gettext_lazy("A part of who or why; the id of a row; the race number of an entry.")
    fields = ("at", "who", "through", "reason", "kind", "action", "all_differences", "event", "about", "links")
    readonly_fields = ("through", "kind", "all_differences", "about", "links")
    show_full_result_count = False
    list_per_page = 50

    class Media:
        css = {"all": ("audit/audit.css",)}

    @admin.display(description=gettext_lazy("time (UTC)"), ordering="id")
    def when(self, line: AuditEntry) -> str:
        return f"{line.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=gettext_lazy("door"))
    def through(self, line: AuditEntry) -> str:
        return str(DOORS.get(line.door, line.door))

    @admin.display(description=gettext_lazy("row"))
    def kind(self, line: AuditEntry) -> str:
        return title(line)

    @admin.display(description=gettext_lazy("difference"))
    def difference(self, line: AuditEntry) -> SafeString:
        return _difference(line, SHORT)

    @admin.display(description=gettext_lazy("difference"))
    def all_differences(self, line: AuditEntry) -> SafeString:
        return _difference(line, None)

    @admin.display(description=gettext_lazy("the row now"))
    def about(self, line: AuditEntry) -> str | SafeString:
        """A link to the row, where it still is and has a page."""
        row = row_of(line)
        if row is None:
            return _("It is not there any more.")
        return format_html('<a href="{}">{}</a>', _page_of(row), row) if type(row) in admin.site._registry else str(row)

    @admin.display(description=gettext_lazy("take back"))
    def links(self, line: AuditEntry) -> SafeString:
        refusal = services.why_not(line)
        if refusal:
            return format_html("<span>{}</span>", refusal)
        one = format_html('<a class="button" href="{}">{}</a>', _own("revert", line.pk), _("Take this change back…"))
        count = len(services.of_the_act(line))
        if count < 2:
            return one
        words = _("Take back all %(count)d changes of this act…") % {"count": count}
        return format_html('{} <a class="button" href="{}">{}</a>', one, _own("together", line.pk), words)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in ASKED or super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Every line of the page is read at once, for the names its keys lead to."""
        found = super().get_changelist_instance(request)
        _read(list(found.result_list), request)
        return found

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        _read([found] if found else [], request)
        return found

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("timeline/<uuid:key>/", self.admin_site.admin_view(self.timeline_view), name=f"{NAME}_timeline"),
            path("<int:key>/revert/", self.admin_site.admin_view(self.revert_view), name=f"{NAME}_revert"),
            path("<int:key>/together/", self.admin_site.admin_view(self.together_view), name=f"{NAME}_together"),
        ]
        return own + super().get_urls()

    def timeline_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """All that happened to an entry and what belongs to it, newest first."""
        user = person(request)
        entry = get_object_or_404(policy.visible(user, Entry.objects.select_related("event"), public=False), pk=key)
        if not self.has_view_permission(request):
            raise PermissionDenied
        lines = services.timeline(key, user).order_by("-id")
        page = Paginator(lines, PAGE_SIZE).get_page(request.GET.get("p"))
        heading = _("Timeline of entry %(number)s, %(event)s") % {"number": entry.race_number, "event": entry.event}
        rows = readings(page.object_list, user)
        return self._answer(request, "timeline", title=heading, page=page, readings=rows, entry=entry)

    def revert_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Asks why, and takes the change back; a refusal is shown, and what was typed stays."""
        line = self.get_object(request, str(key))
        if line is None:
            raise Http404
        heading = _("Take back: %(what)s, %(when)s") % {"what": title(line), "when": date_format(line.at, "j F H:i")}
        return self._take_back(request, [line], services.revert, heading)

    def together_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Asks why, and takes back all that one act did: an import, a deletion, a course that came in a file."""
        line = self.get_object(request, str(key))
        lines = services.of_the_act(line) if line else []
        if not lines:
            raise Http404(_("Nothing of this act can be taken back."))
        if not all(self.has_view_permission(request, one) for one in lines):
            raise PermissionDenied
        words = {"count": len(lines), "when": date_format(line.at, "j F H:i")}
        heading = _("Take back all %(count)d changes of %(when)s") % words
        return self._take_back(request, lines, services.revert_together, heading)

    def _take_back(self, request: HttpRequest, lines: list[AuditEntry], act: Any, heading: str) -> HttpResponse:
        """The lines of one act, the first of which stands for it."""
        form = RevertForm(request.POST or None)
        refusal = next(filter(None, map(services.why_not, lines)), "")
        if request.method == "POST" and form.is_valid() and not refusal:
            refusal = _try(act, lines[0], request, form.cleaned_data["reason"])
            if not refusal:
                messages.success(request, _("It is taken back."))
                return HttpResponseRedirect(_own("change", lines[0].pk))
        shown = readings(lines[:SHOWN], person(request))
        more = len(lines) - len(shown)
        return self._answer(
            request, "revert", title=heading, readings=shown, more=more, line=lines[0], form=form, refusal=refusal
        )

    def _answer(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        context |= self.admin_site.each_context(request) | {"opts": self.opts, "media": self.media}
        return TemplateResponse(request, f"admin/audit/auditentry/{template}.html", context)


def _try(act: Any, line: AuditEntry, request: HttpRequest, reason: str) -> str:
    """Why it was refused, empty when it is done."""
    try:
        act(line, person(request), reason)
    except (services.RevertError, PermissionDenied) as error:
        return str(error)
    return ""


def _read(lines: list[AuditEntry], request: HttpRequest) -> None:
    """Keep with each line what its columns say."""
    for reading in readings(lines, person(request)):
        reading.line.told = reading.differences


def _difference(line: AuditEntry, most: int | None) -> SafeString:
    told = line.told
    context = {"differences": told[:most], "more": len(told) - len(told[:most]), "action": line.action}
    return SafeString(render_to_string("admin/audit/_differences.html", context))


def _own(name: str, key: Any) -> str:
    return reverse(f"admin:{NAME}_{name}", args=[key])


def _page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def last_change(row: Model) -> str:
    """Who changed a row last, and when: for whoever meets that change in a form."""
    line = AuditEntry.objects.filter(table=row._meta.db_table, row_id=str(row.pk)).order_by("-id").first()
    return f"{line.who}, {date_format(line.at, 'H:i:s')}" if line else ""


admin_conflict.TELLERS.append(last_change)
