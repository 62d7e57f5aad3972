"""The device check two hours before the start (rulebook 9.3): every entry has a tracker that sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.http import HttpResponse
from django.utils.translation import gettext as _

from apps.accounts.policy import fields
from apps.desk import queries
from apps.desk.place import Place
from apps.desk.queries import TrackerRow
from apps.events.models import Entry, EntryDevice

FRESH_S = 600
LOW_VOLTS = 11.5


@dataclass(frozen=True, slots=True)
class Checked:
    """An entry and its trackers; `live` when one of them has sent within ten minutes."""

    entry: str
    number: int
    competing: bool
    trackers: Sequence[TrackerRow]

    @property
    def live(self) -> bool:
        return any(one.age_s is not None and one.age_s <= FRESH_S for one in self.trackers)


def show(place: Place) -> HttpResponse:
    """`?show=missing` lists who has no live tracker, `course-cars` who does not compete."""
    place.require("view", "positions")
    checked = _checked(place)
    lists = {
        "all": (_("All"), checked),
        "missing": (_("No live tracker"), [one for one in checked if not one.live]),
        "course-cars": (_("Course cars"), [one for one in checked if not one.competing]),
    }
    asked = place.request.GET.get("show", "all")
    name = asked if asked in lists else "all"
    context = {
        "lists": [(key, title, len(rows), key == name) for key, (title, rows) in lists.items()],
        "shown": lists[name][1],
        "name": name,
        "fresh_s": FRESH_S,
        "low_volts": LOW_VOLTS,
        "imeis": "device" in fields(place.user, EntryDevice, event=place.event),
    }
    return place.show("trackers", context, title=_("Trackers"))


def _checked(place: Place) -> list[Checked]:
    """Every entry by race number, also one without any tracker."""
    rows = queries.trackers(str(place.event.pk))
    carried = {entry: list(of) for entry, of in groupby(rows, key=lambda row: row.entry)}
    entries = Entry.objects.filter(event=place.event).values_list("pk", "race_number", "competing")
    return [Checked(str(pk), number, competing, carried.get(str(pk), [])) for pk, number, competing in entries]
