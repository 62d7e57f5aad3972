"""Vehicles and trackers over REST."""

from apps.accounts.models import Organization
from apps.catalog.models import Device, DeviceModel, IoMapping, OrganizationDevice, OrganizationVehicle, Vehicle
from apps.rest.registered import Registered
from apps.rest.views import ReadOnlyResource, ResourceViewSet


class Vehicles(Registered):
    asked = OrganizationVehicle
    model = Vehicle
    order = ("make", "model")
    search = ("make", "model", "plate", "vin")

    def register(self, home: Organization, row: Vehicle) -> None:
        OrganizationVehicle.objects.create(organization=home, vehicle=row)


class Devices(Registered):
    asked = OrganizationDevice
    model = Device
    order = ("imei",)
    search = ("imei", "serial_number")
    expand = ("model",)

    def register(self, home: Organization, row: Device) -> None:
        OrganizationDevice.objects.create(organization=home, device=row)


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
