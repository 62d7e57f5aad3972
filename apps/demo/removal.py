"""Takes away what an earlier demo left."""

from collections.abc import Sequence

from django.db import connection

from apps.accounts.models import User
from apps.catalog.models import Device, OrganizationDevice, OrganizationVehicle, Vehicle
from apps.course.models import Geofence, Segment, SpeedLimitZone, Stage, Waypoint
from apps.demo.domain.field import Crew
from apps.demo.names import CREW_DOMAIN, ORGANIZATION, SLUG
from apps.events.models import Entry, EntryDevice, Event, RaceClass
from apps.penalties.models import Decision, EntryIncident, EntryPenalty, PenaltyFormula
from apps.scoring.models import EventResult, OutboxRow, ResultRevision, StageResult
from apps.timing.models import EntryCrossing, EntrySegmentStart, StartList, StartOverride, TimingRecord


def remove_event(crews: Sequence[Crew]) -> None:
    """Take away the demo rally, readings before rows, and the positions of its trackers."""
    event = Event.objects.filter(slug=SLUG, organization__slug=ORGANIZATION[1]).first()
    imeis = [imei for crew in crews for imei in crew.devices]
    if event is not None:
        imeis += EntryDevice.objects.filter(entry__event=event).values_list("device__imei", flat=True)
        _remove_rows(event)
    with connection.cursor() as cursor:
        cursor.execute("delete from positions where device_id = any(%s)", [imeis])
    OrganizationDevice.objects.filter(device__imei__in=imeis).delete()
    Device.objects.filter(imei__in=imeis).delete()


def _remove_rows(event: Event) -> None:
    vehicles = list(Vehicle.objects.filter(entries__event=event).values_list("id", flat=True))
    OutboxRow.objects.filter(topic__startswith=f"leaderboard:{event.id}").delete()
    ResultRevision.objects.filter(event=event).delete()
    StartList.objects.filter(stage__event=event).delete()
    for model in (
        EntryCrossing, TimingRecord, EntrySegmentStart, StartOverride, EntryPenalty, EntryIncident, StageResult,
        EventResult,
    ):  # fmt: skip
        model.objects.filter(entry__event=event).delete()
    Decision.objects.filter(event=event).delete()
    Entry.objects.filter(event=event).delete()
    PenaltyFormula.objects.filter(event=event).delete()
    SpeedLimitZone.objects.filter(segment__stage__event=event).delete()
    Waypoint.objects.filter(segment__stage__event=event).delete()
    Segment.objects.filter(stage__event=event).delete()
    Stage.objects.filter(event=event).delete()
    Geofence.objects.filter(event=event).delete()
    RaceClass.objects.filter(event=event).delete()
    event.delete()
    OrganizationVehicle.objects.filter(vehicle__in=vehicles).delete()
    Vehicle.objects.filter(id__in=vehicles).delete()
    User.objects.filter(email__endswith=f"@{CREW_DOMAIN}").delete()
