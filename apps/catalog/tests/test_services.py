"""Seeding the published IO mappings: once, twice, after an official's edits, and in new databases."""

from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command

from apps.catalog.models import DeviceModel, IoMapping
from apps.catalog.services import Seeding, published, seed_io_mappings

pytestmark = pytest.mark.django_db

ALL = sum(len(seed.models) for seed in published("Teltonika"))


@pytest.fixture(autouse=True)
def _no_mappings() -> None:
    """Whether the migration's rows are there depends on the tests before: begin without them."""
    DeviceModel.objects.filter(devices=None).delete()


def test_seeding_adds_every_published_element_once() -> None:
    assert seed_io_mappings() == Seeding(made=ALL)
    assert seed_io_mappings() == Seeding(same=ALL)
    assert IoMapping.objects.count() == ALL
    assert set(DeviceModel.objects.values_list("maker", flat=True)) == {"Teltonika"}


def test_seeded_rows_pass_the_checks_of_the_form() -> None:
    seed_io_mappings()
    for row in IoMapping.objects.filter(device_model__name="FMC130"):
        row.full_clean()


def edited() -> IoMapping:
    return IoMapping.objects.get(device_model__name="FMB920", io_id="66")


def test_what_an_official_edited_is_kept_unless_reset() -> None:
    seed_io_mappings()
    IoMapping.objects.filter(pk=edited().pk).update(scale=0.01)
    IoMapping.objects.filter(device_model__name="FMB920", io_id="67").delete()
    assert seed_io_mappings() == Seeding(made=1, same=ALL - 2, kept=1)
    assert edited().scale == 0.01
    before = edited()
    assert seed_io_mappings(reset=True) == Seeding(same=ALL - 1, reset=1)
    assert (edited().scale, edited().pk, edited().created_at) == (0.001, before.pk, before.created_at)


def test_the_command_says_what_it_did() -> None:
    out = StringIO()
    call_command("seed_io_mappings", stdout=out)
    assert out.getvalue() == f"{ALL} made, 0 there already, 0 edited and kept, 0 reset\n"


def test_the_migration_of_new_databases_makes_the_same_rows() -> None:
    import_module("migrations.catalog.0004_published_io_mappings").seed(apps, None)
    assert seed_io_mappings() == Seeding(same=ALL)
