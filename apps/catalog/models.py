"""Vehicles and trackers, and what each tracker model calls its IO elements (contracts §3)."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization
from apps.catalog.domain.io import ValueType
from apps.common.base import Row


class Vehicle(Row):
    make = models.CharField(_("make"), max_length=100)
    model = models.CharField(_("model"), max_length=100)
    year = models.PositiveSmallIntegerField(_("year"), null=True, blank=True)
    cc = models.PositiveIntegerField(_("engine, cc"), null=True, blank=True)
    vin = models.CharField(_("chassis number"), max_length=32, blank=True)
    plate = models.CharField(_("plate"), max_length=16, blank=True)

    class Meta:
        db_table = "vehicles"
        ordering = ("make", "model")

    def __str__(self) -> str:
        return f"{self.make} {self.model}"


class DeviceModel(Row):
    """A tracker type, e.g. FMB920: its IO mapping decodes the attributes of its positions."""

    name = models.CharField(_("name"), max_length=50, unique=True)
    maker = models.CharField(_("maker"), max_length=50, blank=True)

    class Meta:
        db_table = "device_models"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class IoMapping(Row):
    """What one IO id of a device model means: value = raw * scale + offset, in `unit`."""

    device_model = models.ForeignKey(DeviceModel, models.CASCADE, related_name="io_mappings")
    io_id = models.CharField(_("IO id"), max_length=16)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=50, blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    value_type = models.CharField(
        _("value type"),
        max_length=16,
        choices=[(t.value, t.value) for t in ValueType],
        default=ValueType.NUMBER.value,
    )
    scale = models.FloatField(_("scale"), default=1.0)
    offset = models.FloatField(_("offset"), default=0.0)

    class Meta:
        db_table = "io_mappings"
        constraints = [models.UniqueConstraint(fields=("device_model", "io_id"), name="io_mappings_once")]

    def __str__(self) -> str:
        return f"{self.device_model} {self.io_id}: {self.name}"


class Device(Row):
    """A tracker, known to the stream by its IMEI."""

    imei = models.CharField(
        _("IMEI"),
        max_length=20,
        unique=True,
        validators=[RegexValidator(r"^[0-9]{14,17}$", _("14 to 17 digits; Teltonika trackers have 15."))],
    )
    model = models.ForeignKey(DeviceModel, models.RESTRICT, related_name="devices")
    serial_number = models.CharField(_("serial number"), max_length=50, blank=True)

    class Meta:
        db_table = "devices"
        ordering = ("imei",)
        constraints = [
            models.CheckConstraint(condition=models.Q(imei__regex=r"^[0-9]{14,17}$"), name="devices_imei_digits")
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.imei}"


class OrganizationVehicle(Row):
    organization = models.ForeignKey(Organization, models.RESTRICT, related_name="vehicle_links")
    vehicle = models.ForeignKey(Vehicle, models.RESTRICT, related_name="organization_links")
    registered_at = models.DateTimeField(_("registered at"), auto_now_add=True)

    class Meta:
        db_table = "organization_vehicles"
        constraints = [models.UniqueConstraint(fields=("organization", "vehicle"), name="organization_vehicles_once")]

    def __str__(self) -> str:
        return f"{self.organization}: {self.vehicle}"


class OrganizationDevice(Row):
    organization = models.ForeignKey(Organization, models.RESTRICT, related_name="device_links")
    device = models.ForeignKey(Device, models.RESTRICT, related_name="organization_links")
    registered_at = models.DateTimeField(_("registered at"), auto_now_add=True)

    class Meta:
        db_table = "organization_devices"
        constraints = [models.UniqueConstraint(fields=("organization", "device"), name="organization_devices_once")]

    def __str__(self) -> str:
        return f"{self.organization}: {self.device}"
