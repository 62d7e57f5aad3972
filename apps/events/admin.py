from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.accounts.admin_import import ImportingAdmin
from apps.accounts.admin_policy import PolicyAdmin, PolicyInline
from apps.common.bulk import Cells
from apps.events.entry_columns import names
from apps.events.entry_import import EntryImport, exported
from apps.events.models import Entry, EntryCrew, EntryDevice, Event, RaceClass

# What other apps show in an event's form; each adds its own when its admin is loaded.
PANELS: list[Callable[[Event], SafeString]] = []


class RaceClassInline(PolicyInline[RaceClass, Event]):
    model = RaceClass
    extra = 0


@admin.register(Event)
class EventAdmin(PolicyAdmin[Event]):
    list_display = ("name", "organization", "discipline", "starts_at", "ends_at", "is_public")
    list_select_related = ("organization",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("organization",)
    readonly_fields = ("panels",)
    inlines = (RaceClassInline,)

    @admin.display(description=_("state"))
    def panels(self, event: Event) -> SafeString:
        """What other apps have to say of the event; nothing of one that is being made."""
        return format_html_join("", "{}", ((panel(event),) for panel in PANELS if event.pk and not event._state.adding))


@admin.register(RaceClass)
class RaceClassAdmin(PolicyAdmin[RaceClass]):
    list_display = ("code", "name", "event", "sort_order")
    list_select_related = ("event",)
    list_filter = ("event",)
    search_fields = ("code", "name")


class EntryCrewInline(PolicyInline[EntryCrew, Entry]):
    model = EntryCrew
    extra = 0
    autocomplete_fields = ("user",)


class EntryDeviceInline(PolicyInline[EntryDevice, Entry]):
    model = EntryDevice
    extra = 0
    autocomplete_fields = ("device", "assigned_user")


@admin.register(Entry)
class EntryAdmin(ImportingAdmin):
    target_model = Event
    a_row = _("A row is an entry: its class, its vehicle, its crew of up to four, its trackers.")
    list_display = ("race_number", "event", "race_class", "vehicle", "status", "competing", "team")
    list_select_related = ("event", "race_class", "vehicle")
    list_filter = ("event", "race_class", "status", "competing")
    search_fields = ("race_number", "team", "crew__last_name", "crew__email")
    autocomplete_fields = ("event", "race_class", "vehicle")
    inlines = (EntryCrewInline, EntryDeviceInline)

    def importer(self, target: Event, user: Any) -> EntryImport:
        return EntryImport(target, user)

    def exported(self, target: Event) -> list[Cells]:
        return exported(target)

    def columns(self) -> Sequence[str]:
        return names()

    def _filter(self, target: Event) -> dict[str, str]:
        return {"event__id__exact": str(target.pk)}
