"""Takes away what an earlier demo left."""

from collections.abc import Sequence

from django.db import connection

from apps.accounts.models import User
from apps.catalog.models import Device, OrganizationDevice, OrganizationVehicle, Vehicle
from apps.commands.models import Command
from apps.demo.domain.field import Crew
from apps.demo.names import CREW_DOMAIN, ORGANIZATION, SLUG
from apps.events.models import EntryDevice, Event
from apps.integrations.models import Delivery, DomainEvent, Webhook
from apps.live.models import Acknowledgement
from apps.scoring.removal import remove_event_rows


def remove_event(crews: Sequence[Crew]) -> None:
    """Take away the demo rally, readings before rows, the positions of its trackers, and what was told of it.

    The audit log keeps that all this was there: nothing is ever deleted from it.
    """
    event = Event.objects.filter(slug=SLUG, organization__slug=ORGANIZATION[1]).first()
    imeis = [imei for crew in crews for imei in crew.devices]
    if event is not None:
        imeis += EntryDevice.objects.filter(entry__event=event).values_list("device__imei", flat=True)
        _remove_rows(event)
    with connection.cursor() as cursor:
        cursor.execute("delete from positions where device_id = any(%s)", [imeis])
    Command.objects.filter(device__imei__in=imeis).delete()
    OrganizationDevice.objects.filter(device__imei__in=imeis).delete()
    Device.objects.filter(imei__in=imeis).delete()


def _remove_rows(event: Event) -> None:
    event_id = event.id
    vehicles = list(Vehicle.objects.filter(entries__event=event).values_list("id", flat=True))
    Acknowledgement.objects.filter(entry__event=event).delete()
    Webhook.objects.filter(event=event).delete()
    remove_event_rows(event)
    # Last, for the removal of crossings and penalties is told, too.
    Delivery.objects.filter(domain_event__event_id=event_id).delete()
    DomainEvent.objects.filter(event_id=event_id).delete()
    OrganizationVehicle.objects.filter(vehicle__in=vehicles).delete()
    Vehicle.objects.filter(id__in=vehicles).delete()
    User.objects.filter(email__endswith=f"@{CREW_DOMAIN}").delete()
