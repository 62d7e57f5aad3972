from django.contrib import admin

from apps.events.models import Entry, EntryCrew, EntryDevice, Event, RaceClass


class RaceClassInline(admin.TabularInline[RaceClass, Event]):
    model = RaceClass
    extra = 0


@admin.register(Event)
class EventAdmin(admin.ModelAdmin[Event]):
    list_display = ("name", "organization", "discipline", "starts_at", "ends_at", "is_public")
    list_select_related = ("organization",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("organization",)
    inlines = (RaceClassInline,)


@admin.register(RaceClass)
class RaceClassAdmin(admin.ModelAdmin[RaceClass]):
    list_display = ("code", "name", "event", "sort_order")
    list_select_related = ("event",)
    list_filter = ("event",)
    search_fields = ("code", "name")


class EntryCrewInline(admin.TabularInline[EntryCrew, Entry]):
    model = EntryCrew
    extra = 0
    autocomplete_fields = ("user",)


class EntryDeviceInline(admin.TabularInline[EntryDevice, Entry]):
    model = EntryDevice
    extra = 0
    autocomplete_fields = ("device", "assigned_user")


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin[Entry]):
    list_display = ("race_number", "event", "race_class", "vehicle", "status", "competing", "team")
    list_select_related = ("event", "race_class", "vehicle")
    list_filter = ("event", "race_class", "status", "competing")
    search_fields = ("race_number", "team", "crew__last_name", "crew__email")
    autocomplete_fields = ("event", "race_class", "vehicle")
    inlines = (EntryCrewInline, EntryDeviceInline)
