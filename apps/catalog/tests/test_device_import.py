"""Imports of trackers into an organization, by IMEI."""

import pytest
from django.core.exceptions import PermissionDenied

from apps.accounts.factories import OrganizationFactory, OrganizationUserFactory
from apps.accounts.models import Organization, OrganizationUser, User
from apps.catalog.device_import import NAMES, DeviceImport, exported
from apps.catalog.factories import DeviceFactory, DeviceModelFactory
from apps.catalog.models import Device, OrganizationDevice
from apps.common.bulk import Refused
from apps.common.sheets import read, write_xlsx

pytestmark = pytest.mark.django_db
FILE = b"imei;model;serial_number\n356307042441013;FMB920;A1\n356307042441021;fmb920;\n"


@pytest.fixture
def club() -> Organization:
    DeviceModelFactory._meta.model.objects.get_or_create(name="FMB920")
    return OrganizationFactory()


@pytest.fixture
def director(club: Organization) -> User:
    member: OrganizationUser = OrganizationUserFactory(organization=club, role="race-director")
    return member.user


def test_trackers_are_registered_changed_and_exported(club: Organization, director: User) -> None:
    DeviceImport(club, director).run(read("d.csv", FILE), "new trackers")
    assert [cells["serial_number"] for cells in exported(club)] == ["A1", ""]
    changed = DeviceImport(club, director).run(read("d.csv", FILE.replace(b"A1", b"A2")), "typo")
    assert [change.kind for change in changed.changes] == ["changed", "same"]
    told = write_xlsx(NAMES, [[cells[name] for name in NAMES] for cells in exported(club)])
    again = DeviceImport(club, director).run(read("d.xlsx", told), "again")
    assert {change.kind for change in again.changes} == {"same"} and Device.objects.count() == 2


def test_trackers_of_others_are_refused(club: Organization, director: User) -> None:
    theirs = DeviceFactory(imei="356307042441013")
    OrganizationDevice.objects.create(organization=OrganizationFactory(), device=theirs)
    with pytest.raises(Refused, match="row 2, imei: this tracker is registered by another organization"):
        DeviceImport(club, director).run(read("d.csv", FILE), "")
    assert Device.objects.count() == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1;FMB920;", "imei: 14 to 17 digits"),
        ("3,56307E+14;FMB920;", "imei: 3,56307E.14 was shortened"),
        ("356307042441013;X;", "model: “X” is none of"),
        (f"356307042441013;FMB920;{'s' * 51}", "serial_number: Ensure this value has at most 50"),
    ],
)
def test_a_wrong_row_says_why_and_nothing_is_written(club: Organization, director: User, row: str, reason: str) -> None:
    with pytest.raises(Refused, match=f"row 3, {reason}"):
        DeviceImport(club, director).run(
            read("d.csv", f"imei;model;serial_number\n356307042441021;FMB920;\n{row}\n".encode()), ""
        )
    assert not Device.objects.exists()


def test_who_may_not_import_cannot(club: Organization) -> None:
    marshal = OrganizationUserFactory(organization=club, role="marshal").user
    with pytest.raises(PermissionDenied):
        DeviceImport(club, marshal).preview(read("d.csv", FILE))
