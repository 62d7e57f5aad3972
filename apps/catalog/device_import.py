"""Trackers from a file and to a file, one a row, by IMEI."""

from dataclasses import dataclass

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Organization, User
from apps.accounts.policy import require, visible
from apps.catalog.models import Device, DeviceModel, OrganizationDevice
from apps.common.audit import because
from apps.common.bulk import (
    SHORTENED,
    UNWRITTEN,
    Cells,
    Change,
    Column,
    Preview,
    Refused,
    choice,
    compare,
    parse,
    text,
    update,
)
from apps.common.sheets import Problem, Sheet

KEY = "imei"
NAMES = (KEY, "model", "serial_number")


@dataclass(frozen=True, slots=True)
class DeviceImport:
    """An import of trackers into an organization by `user`; None for the operator, at the command line."""

    organization: Organization
    user: User | None

    def check(self) -> None:
        """Raises PermissionDenied."""
        if self.user is not None:
            require(self.user, "import", self.organization)

    def preview(self, sheet: Sheet) -> Preview:
        """What the file would change; in a fixed number of queries."""
        self.check()
        parsed = parse(sheet, _columns(), KEY)
        current = {cells[KEY]: cells for cells in exported(self.organization)}
        changes = compare(parsed.rows, current, KEY)
        problems = [*parsed.problems, *self._strangers(changes)]
        return Preview(changes, tuple(sorted(problems, key=lambda problem: problem.row)))

    def run(self, sheet: Sheet, reason: str) -> Preview:
        """Write it, all of it or nothing. Raises Refused."""
        try:
            with because(reason), transaction.atomic():
                Organization.objects.select_for_update().get(pk=self.organization.pk)
                preview = self.preview(sheet)
                if preview.problems:
                    raise Refused(preview.problems)
                self._write(preview)
                return preview
        except DatabaseError as error:
            raise Refused([Problem(0, "", str(UNWRITTEN))]) from error

    def _strangers(self, changes: tuple[Change, ...]) -> list[Problem]:
        """Trackers that somebody else has registered, or that may not be changed."""
        rows = {change.key: change.row for change in changes if change.kind != "same"}
        found = {device.imei: device for device in Device.objects.filter(imei__in=rows)}
        if self.user is None:
            return []
        seen = set(visible(self.user, Device.objects.filter(imei__in=rows)).values_list("imei", flat=True))
        refused = [imei for imei in found if imei not in seen]
        return [Problem(rows[imei], KEY, _("this tracker is registered by another organization")) for imei in refused]

    def _write(self, preview: Preview) -> None:
        models = {model.name: model for model in DeviceModel.objects.all()}
        changes = {change.key: change for change in preview.writes}
        held = {device.imei: device for device in Device.objects.filter(imei__in=changes)}
        for imei, device in held.items():
            self._set(device, changes[imei].cells, models)
        fresh = [self._set(Device(imei=i), c.cells, models) for i, c in changes.items() if i not in held]
        update(held.values(), ["model", "serial_number"])
        Device.objects.bulk_create(fresh)
        links = [OrganizationDevice(organization=self.organization, device=d) for d in (*held.values(), *fresh)]
        OrganizationDevice.objects.bulk_create(links, ignore_conflicts=True)

    def _set(self, device: Device, cells: Cells, models: dict[str, DeviceModel]) -> Device:
        device.model = models[cells["model"]]
        device.serial_number = cells.get("serial_number", device.serial_number)
        return device


def exported(organization: Organization) -> list[Cells]:
    """The organization's trackers as rows of a file."""
    rows = OrganizationDevice.objects.filter(organization=organization).select_related("device__model")
    devices = [row.device for row in rows.order_by("device__imei")]
    return [{KEY: d.imei, "model": d.model.name, "serial_number": d.serial_number} for d in devices]


def _columns() -> list[Column]:
    models = DeviceModel.objects.values_list("name", "name")
    return [
        Column(KEY, _imei, required=True),
        Column("model", choice(models), required=True),
        Column("serial_number", text(Device._meta.get_field("serial_number"))),
    ]


def _imei(value: str) -> str:
    digits = value.replace(" ", "")
    if "E+" in value.upper():
        raise ValueError(SHORTENED % {"value": value})
    return text(Device._meta.get_field("imei"))(digits)
