"""Events, classes, entries, crews and assignments over REST."""

from apps.events.models import Entry, EntryCrew, EntryDevice, Event, RaceClass
from apps.rest.views import ResourceViewSet


class Events(ResourceViewSet):
    model = Event
    order = ("-starts_at",)
    search = ("name", "slug")
    expand = ("organization",)


class Classes(ResourceViewSet):
    model = RaceClass
    order = ("sort_order", "code")
    search = ("code", "name", "group")


class Entries(ResourceViewSet):
    model = Entry
    order = ("race_number",)
    search = ("team", "race_number", "crew__last_name", "crew__first_name")
    expand = ("race_class", "vehicle", "event")


class Crews(ResourceViewSet):
    model = EntryCrew
    order = ("created_at",)
    expand = ("user", "entry")


class EntryDevices(ResourceViewSet):
    model = EntryDevice
    order = ("priority",)
    expand = ("device", "entry")


RESOURCES = {
    "events": Events,
    "classes": Classes,
    "entries": Entries,
    "entry_crew": Crews,
    "entry_devices": EntryDevices,
}
