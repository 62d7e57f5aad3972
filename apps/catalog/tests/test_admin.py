"""Officials read and edit the IO mappings of a whole tracker."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from apps.catalog.factories import IoMappingFactory
from apps.catalog.models import DeviceModel, IoMapping
from apps.catalog.services import seed_io_mappings

LIST = "admin:catalog_iomapping_changelist"
EDITED = ("kind", "unit", "value_type", "scale", "offset")


@pytest.fixture
def office(client: Client, db: None) -> Client:
    client.force_login(get_user_model().objects.create_superuser("admin@example.org", "x"))
    return client


def test_a_model_with_all_its_mappings_can_be_saved(office: Client) -> None:
    """Its form once had more fields than Django takes."""
    seed_io_mappings()
    model = DeviceModel.objects.get(name="FMC130")
    page = reverse("admin:catalog_devicemodel_change", args=[model.pk])
    response = office.get(page)
    assert b"external_voltage" in response.content
    formset = response.context["inline_admin_formsets"][0].formset
    posted = {f"{formset.prefix}-TOTAL_FORMS": 0, f"{formset.prefix}-INITIAL_FORMS": 0}
    assert response.content.count(b"<input") < 500
    assert office.post(page, {"name": "FMC130", "maker": "Renamed", **posted}).status_code == 302
    model.refresh_from_db()
    assert (model.maker, model.io_mappings.filter(kind="external_voltage").count()) == ("Renamed", 1)


def posted(row: IoMapping, **values: object) -> dict[str, object]:
    """The list's form with one row, edited."""
    shown = {name: getattr(row, name) for name in EDITED} | values
    management = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "_save": "Save"}
    return management | {"form-0-id": row.pk} | {f"form-0-{name}": value for name, value in shown.items()}


def test_the_list_filters_by_kind_and_edits_in_place(office: Client) -> None:
    row = IoMappingFactory(kind="only_one")
    IoMappingFactory(kind="ignition", value_type="boolean", scale=1)
    page = reverse(LIST) + "?kind=only_one"
    assert [shown.pk for shown in office.get(page).context["cl"].result_list] == [row.pk]
    assert office.post(page, posted(row, scale=0.01)).status_code == 302
    row.refresh_from_db()
    assert row.scale == 0.01


@pytest.mark.parametrize(
    ("values", "message"), [({"scale": 0}, "a number other than 0"), ({"value_type": "hex"}, "A hex has no scale")]
)
def test_the_list_says_what_is_wrong(values: dict[str, object], message: str, office: Client) -> None:
    row = IoMappingFactory(kind="only_one")
    response = office.post(reverse(LIST) + "?kind=only_one", posted(row, **values))
    assert message in response.content.decode()


def test_mappings_are_listed_by_number(db: None) -> None:
    model = IoMappingFactory(io_id="16").device_model
    for io_id in ("9", "113", "1"):
        IoMappingFactory(device_model=model, io_id=io_id)
    assert [row.io_id for row in IoMapping.objects.filter(device_model=model)] == ["1", "9", "16", "113"]
