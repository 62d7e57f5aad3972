"""Vehicles and trackers, and what each tracker model calls its IO elements (contracts §3)."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Length
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization
from apps.catalog.domain.io import SCALED, Element, ValueType
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


def value_types() -> list[tuple[str, Promise]]:
    """How raw values are read, as people choose it."""
    names = {
        ValueType.NUMBER: _("number"),
        ValueType.BOOLEAN: _("yes or no"),
        ValueType.SIGNED8: _("signed, 8 bits"),
        ValueType.SIGNED16: _("signed, 16 bits"),
        ValueType.SIGNED32: _("signed, 32 bits"),
        ValueType.SIGNED64: _("signed, 64 bits"),
        ValueType.IDENTIFIER: _("identifier"),
        ValueType.TEXT: _("text"),
        ValueType.HEX: _("hexadecimal"),
    }
    return [(kind.value, name) for kind, name in names.items()]


# A scale or offset beyond this is a slip of the pen. NaN is above every number in PostgreSQL, so refused as well.
LARGEST = 1e9


class IoMapping(Row):
    """What one IO id of a device model means: value = raw * scale + offset, in `unit`."""

    device_model = models.ForeignKey(DeviceModel, models.CASCADE, related_name="io_mappings")
    io_id = models.CharField(
        _("IO id"),
        max_length=16,
        validators=[RegexValidator(r"^[A-Za-z0-9_]+$", _("Letters, digits and underscores, as the tracker sends it."))],
    )
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(
        _("kind"),
        max_length=50,
        blank=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*$", _("Small letters, digits and underscores: odometer_km."))],
        help_text=_("The key of the decoded value; made of the name when empty."),
    )
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    value_type = models.CharField(
        _("value type"),
        max_length=16,
        choices=value_types,
        default=ValueType.NUMBER.value,
        help_text=_(
            "signed: two's complement of so many bits; identifier: digits kept as text; text, hex: of a buffer."
        ),
    )
    scale = models.FloatField(_("scale"), default=1.0)
    offset = models.FloatField(_("offset"), default=0.0)

    class Meta:
        db_table = "io_mappings"
        ordering = ("device_model", Length("io_id"), "io_id")
        constraints = [
            models.UniqueConstraint(fields=("device_model", "io_id"), name="io_mappings_once"),
            models.CheckConstraint(
                condition=models.Q(value_type__in=[t.value for t in ValueType]), name="io_mappings_value_type"
            ),
            models.CheckConstraint(
                condition=models.Q(scale__gte=-LARGEST, scale__lte=LARGEST) & ~models.Q(scale=0),
                name="io_mappings_scale",
                violation_error_message=_("Scale: a number other than 0, at most 1e9."),
            ),
            models.CheckConstraint(
                condition=models.Q(offset__gte=-LARGEST, offset__lte=LARGEST),
                name="io_mappings_offset",
                violation_error_message=_("Offset: a number, at most 1e9."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_model} {self.io_id}: {self.name}"

    @property
    def element(self) -> Element:
        return Element(self.io_id, self.name, self.kind, self.value_type, self.scale, self.offset)

    def clean(self) -> None:
        """Raises ValidationError when the scale has no meaning, or another IO id has this key."""
        if self.value_type not in SCALED and (self.scale, self.offset) != (1, 0):
            raise ValidationError({"scale": _("A %(type)s has no scale and no offset.") % {"type": self.value_type}})
        others = IoMapping.objects.filter(device_model=self.device_model_id).exclude(io_id=self.io_id)
        for other in others.exclude(pk=self.pk):
            if other.element.key == self.element.key:
                raise ValidationError(
                    {"kind": _("IO %(io)s is %(key)s already.") % {"io": other.io_id, "key": self.element.key}}
                )


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
