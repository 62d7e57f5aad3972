from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.admin_import import ImportingAdmin
from apps.accounts.admin_policy import PolicyAdmin, PolicyInline
from apps.accounts.models import Organization
from apps.catalog.device_import import NAMES, DeviceImport, exported
from apps.catalog.models import (
    Device,
    DeviceModel,
    IoMapping,
    OrganizationDevice,
    OrganizationVehicle,
    Vehicle,
)
from apps.common.bulk import Cells


class IoMappingInline(PolicyInline[IoMapping, DeviceModel]):
    """To read, each with a link to its form: a model has over a hundred, more fields than Django takes in one form."""

    model = IoMapping
    fields = ("io_id", "name", "kind", "unit", "value_type", "scale", "offset")
    show_change_link = True
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("device_model")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(DeviceModel)
class DeviceModelAdmin(PolicyAdmin[DeviceModel]):
    list_display = ("name", "maker")
    search_fields = ("name",)
    inlines = (IoMappingInline,)


@admin.register(IoMapping)
class IoMappingAdmin(PolicyAdmin[IoMapping]):
    list_display = ("device_model", "io_id", "name", "kind", "unit", "value_type", "scale", "offset")
    list_display_links = ("io_id",)
    list_editable = ("kind", "unit", "value_type", "scale", "offset")
    list_per_page = 100
    list_select_related = ("device_model",)
    list_filter = ("kind", "value_type", "device_model")
    search_fields = ("=io_id", "name", "kind")
    autocomplete_fields = ("device_model",)


@admin.register(Device)
class DeviceAdmin(ImportingAdmin):
    target_model = Organization
    a_row = _("A row is a tracker of the organization.")
    list_display = ("imei", "model", "serial_number")
    list_select_related = ("model",)
    list_filter = ("model",)
    search_fields = ("imei", "serial_number")
    autocomplete_fields = ("model",)

    def importer(self, target: Organization, user: Any) -> DeviceImport:
        return DeviceImport(target, user)

    def exported(self, target: Organization) -> list[Cells]:
        return exported(target)

    def columns(self) -> Sequence[str]:
        return NAMES


@admin.register(Vehicle)
class VehicleAdmin(PolicyAdmin[Vehicle]):
    list_display = ("make", "model", "year", "cc", "plate")
    search_fields = ("make", "model", "plate", "vin")


@admin.register(OrganizationVehicle)
class OrganizationVehicleAdmin(PolicyAdmin[OrganizationVehicle]):
    list_display = ("organization", "vehicle", "registered_at")
    list_select_related = ("organization", "vehicle")
    autocomplete_fields = ("organization", "vehicle")


@admin.register(OrganizationDevice)
class OrganizationDeviceAdmin(PolicyAdmin[OrganizationDevice]):
    list_display = ("organization", "device", "registered_at")
    list_select_related = ("organization", "device__model")
    autocomplete_fields = ("organization", "device")
