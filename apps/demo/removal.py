"""Takes away what an earlier demo left."""

from collections.abc import Sequence

from django.db import connection

from apps.accounts.models import User
from apps.catalog.models import Device, OrganizationDevice, OrganizationVehicle, Vehicle
from apps.demo.domain.field import Crew
from apps.demo.names import CREW_DOMAIN, ORGANIZATION, SLUG
from apps.events.models import EntryDevice, Event
from apps.scoring.removal import remove_event_rows


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
    remove_event_rows(event)
    OrganizationVehicle.objects.filter(vehicle__in=vehicles).delete()
    Vehicle.objects.filter(id__in=vehicles).delete()
    User.objects.filter(email__endswith=f"@{CREW_DOMAIN}").delete()
