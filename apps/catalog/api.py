"""Vehicles and trackers over REST."""

from functools import cache
from typing import Any, ClassVar

from django.db.models import Model
from rest_framework.exceptions import ValidationError

from apps.accounts import policy
from apps.accounts.models import Organization
from apps.catalog.models import Device, DeviceModel, IoMapping, OrganizationDevice, OrganizationVehicle, Vehicle
from apps.rest.serializers import Reference, RowSerializer
from apps.rest.views import ReadOnlyResource, ResourceViewSet


class Registered(ResourceViewSet):
    """What belongs to nobody by itself: made and registered in one go, with an organization that says so."""

    link: ClassVar[tuple[type[Model], str]]  # the row that registers it, and its key

    def get_serializer_class(self) -> type[RowSerializer]:
        base = super().get_serializer_class()
        return _with_organization(base) if getattr(self, "action", "") == "create" else base

    def make(self, values: dict[str, Any]) -> Any:
        home = values.pop("organization", None) or self._home()
        row = super().make(values)
        model, key = self.link
        link = model(**{"organization": home, key: row})
        policy.require(self.user, "add", link)
        link.save()
        return row

    def _home(self) -> Organization:
        """Where the user may register it, if there is one such place. Raises ValidationError else."""
        places = policy.organizations_where(self.user, "add", self.link[0])
        if len(places) != 1:
            policy.require(self.user, "add", self.model)
            raise ValidationError({"organization": ["Say whose it is."]})
        return Organization.objects.get(pk=next(iter(places)))


@cache
def _with_organization(base: type[RowSerializer]) -> type[RowSerializer]:
    field = Reference(queryset=Organization.objects.all(), required=False, write_only=True)
    meta = type("Meta", (base.Meta,), {"fields": [*base.Meta.fields, "organization"]})
    return type(base.__name__, (base,), {"Meta": meta, "organization": field})


class Vehicles(Registered):
    link = (OrganizationVehicle, "vehicle")
    model = Vehicle
    order = ("make", "model")
    search = ("make", "model", "plate", "vin")


class Devices(Registered):
    link = (OrganizationDevice, "device")
    model = Device
    order = ("imei",)
    search = ("imei", "serial_number")
    expand = ("model",)


class DeviceModels(ReadOnlyResource):
    model = DeviceModel
    order = ("name",)
    search = ("name", "maker")


class IoMappings(ReadOnlyResource):
    model = IoMapping
    order = ("device_model", "io_id")
    search = ("name", "kind")
    expand = ("device_model",)


class OrganizationVehicles(ResourceViewSet):
    model = OrganizationVehicle
    order = ("registered_at",)
    expand = ("vehicle",)


class OrganizationDevices(ResourceViewSet):
    model = OrganizationDevice
    order = ("registered_at",)
    expand = ("device",)


RESOURCES = {
    "vehicles": Vehicles,
    "devices": Devices,
    "device_models": DeviceModels,
    "io_mappings": IoMappings,
    "organization_vehicles": OrganizationVehicles,
    "organization_devices": OrganizationDevices,
}
