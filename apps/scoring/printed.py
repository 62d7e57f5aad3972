"""The names a published result is printed with: frozen with it, so that a paper printed again is the same paper."""

from typing import Any

from django.db.models import Prefetch

from apps.course.models import Stage
from apps.events.models import Entry, EntryCrew, Event, RaceClass

Printed = dict[str, Any]


def printed(event_id: str, stage_id: str | None) -> Printed:
    """Organization, event, stages, classes and entries by what people call them; public names only.

    `stage` is "" for the whole event. In five queries, whatever the field.
    """
    event = Event.objects.select_related("organization").get(id=event_id)
    stages = {str(stage.id): stage.name for stage in Stage.objects.filter(event=event)}
    return {
        "organization": event.organization.name,
        "event": event.name,
        "time_zone": event.time_zone,
        "starts_at": event.starts_at.isoformat(),
        "ends_at": event.ends_at.isoformat(),
        "stage": "" if stage_id is None else stages[stage_id],
        "stages": stages,
        "classes": {str(c.id): [c.code, c.name] for c in RaceClass.objects.filter(event=event)},
        "entries": {str(entry.id): _entry(entry) for entry in with_names(event_id)},
    }


def with_names(event_id: str) -> list[Entry]:
    """The entries of an event by number, with class, vehicle and crew at hand."""
    crew = EntryCrew.objects.select_related("user").order_by("created_at", "id")
    rows = Entry.objects.filter(event_id=event_id).select_related("race_class", "vehicle")
    return list(rows.order_by("race_number").prefetch_related(Prefetch("crew_links", crew)))


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.race_number,
        "crew": crew_of(entry),
        "nations": nations_of(entry),
        "vehicle": str(entry.vehicle or ""),
        "class": entry.race_class.code,
    }


def crew_of(entry: Entry) -> str:
    """The members of the crew in the order they were entered."""
    return " / ".join(link.user.get_full_name() for link in entry.crew_links.all())


def nations_of(entry: Entry) -> str:
    """Each nation once, in the order of the crew."""
    return " ".join(dict.fromkeys(link.user.nationality for link in entry.crew_links.all() if link.user.nationality))
