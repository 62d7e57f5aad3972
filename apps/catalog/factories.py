"""Rows for tests."""

import factory
from factory.django import DjangoModelFactory

from apps.accounts.factories import OrganizationFactory
from apps.catalog.models import (
    Device,
    DeviceModel,
    IoMapping,
    OrganizationDevice,
    OrganizationVehicle,
    Vehicle,
)


class VehicleFactory(DjangoModelFactory[Vehicle]):
    class Meta:
        model = Vehicle

    make = "Toyota"
    model = "Land Cruiser 70"
    year = 1998
    cc = 4500


class DeviceModelFactory(DjangoModelFactory[DeviceModel]):
    class Meta:
        model = DeviceModel
        django_get_or_create = ("name",)

    name = "FMB920"
    maker = "Teltonika"


class IoMappingFactory(DjangoModelFactory[IoMapping]):
    class Meta:
        model = IoMapping

    # Not a model that is seeded: its IO ids are taken already.
    device_model = factory.SubFactory(DeviceModelFactory, name="Test tracker")
    io_id = factory.Sequence(str)
    name = "Odometer"
    kind = factory.LazyAttribute(lambda row: f"odometer_{row.io_id}_km")
    unit = "km"
    scale = 0.001


class DeviceFactory(DjangoModelFactory[Device]):
    class Meta:
        model = Device

    imei = factory.Sequence(lambda n: f"35609300{n:07d}")
    model = factory.SubFactory(DeviceModelFactory)


class OrganizationVehicleFactory(DjangoModelFactory[OrganizationVehicle]):
    class Meta:
        model = OrganizationVehicle

    organization = factory.SubFactory(OrganizationFactory)
    vehicle = factory.SubFactory(VehicleFactory)


class OrganizationDeviceFactory(DjangoModelFactory[OrganizationDevice]):
    class Meta:
        model = OrganizationDevice

    organization = factory.SubFactory(OrganizationFactory)
    device = factory.SubFactory(DeviceFactory)
