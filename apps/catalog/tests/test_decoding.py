"""Decoding against the real tables: what is learnt, and that every kind of edit is seen."""

import json
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import DjangoAssertNumQueries

from apps.catalog.decoding import AttributeDecoder
from apps.catalog.factories import DeviceFactory, DeviceModelFactory, IoMappingFactory
from apps.catalog.models import Device, DeviceModel, IoMapping
from apps.common.position import Position

pytestmark = pytest.mark.django_db


def at(imei: str, **attributes: Any) -> Position:
    return Position(imei, 0, 42.0, 20.0, attributes={k.removeprefix("io"): v for k, v in attributes.items()})


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def decoder(clock: Clock) -> AttributeDecoder:
    return AttributeDecoder(clock=clock)


@pytest.fixture
def model() -> DeviceModel:
    """A model with one element: 16, the odometer."""
    model: DeviceModel = DeviceModelFactory(name="Test tracker")
    IoMappingFactory(device_model=model, io_id="16", name="Total Odometer", kind="odometer_km", scale=0.001)
    return model


@pytest.fixture
def device(model: DeviceModel) -> Device:
    device: Device = DeviceFactory(model=model)
    return device


def test_positions_are_decoded_by_the_mapping_of_their_devices_model(decoder: AttributeDecoder, device: Device) -> None:
    bare = DeviceFactory(model=DeviceModelFactory(name="Bare"))
    texts = decoder([at(device.imei, io16=1234567, io999=5), at(bare.imei, io16=1), at("350000000000000", io16=1)])
    assert texts[1:] == [None, None]
    assert json.loads(texts[0] or "") == {"odometer_km": 1234.567, "999": 5}


def test_a_batch_of_known_devices_asks_nothing_within_a_second(
    decoder: AttributeDecoder, device: Device, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    batch = [at(device.imei, io16=1), at("350000000000000", io16=1)]
    with django_assert_num_queries(3):  # the version, the mappings, the devices of the batch
        decoder(batch)
    with django_assert_num_queries(0):
        decoder(batch)


def edit_saved(mapping: IoMapping) -> None:
    mapping.kind = "edited"
    mapping.save()


def edit_by_queryset(mapping: IoMapping) -> None:
    IoMapping.objects.filter(pk=mapping.pk).update(kind="edited")


def edit_by_bulk_update(mapping: IoMapping) -> None:
    mapping.kind = "edited"
    IoMapping.objects.bulk_update([mapping], ["kind"])


def edit_by_sql(mapping: IoMapping) -> None:
    with connection.cursor() as cursor:
        cursor.execute("update io_mappings set kind = 'edited' where id = %s", [mapping.pk])


@pytest.mark.parametrize("edit", [edit_saved, edit_by_queryset, edit_by_bulk_update, edit_by_sql])
@pytest.mark.django_db(transaction=True)
def test_an_edited_mapping_is_used_a_second_later(
    edit: Any, decoder: AttributeDecoder, device: Device, clock: Clock
) -> None:
    batch = [at(device.imei, io16=1000)]
    assert decoder(batch) == ['{"odometer_km":1.0}']
    edit(IoMapping.objects.get(device_model=device.model))
    clock.now = 0.9
    assert decoder(batch) == ['{"odometer_km":1.0}']
    clock.now = 1.0
    assert decoder(batch) == ['{"edited":1.0}']


@pytest.mark.django_db(transaction=True)
def test_deleted_mappings_are_gone_a_second_later(decoder: AttributeDecoder, device: Device, clock: Clock) -> None:
    batch = [at(device.imei, io16=1000)]
    assert decoder(batch) == ['{"odometer_km":1.0}']
    IoMapping.objects.all().delete()
    clock.now = 1.0
    assert decoder(batch) == [None]


@pytest.mark.django_db(transaction=True)
def test_a_device_that_is_added_moved_or_deleted_is_seen_a_second_later(
    decoder: AttributeDecoder, model: DeviceModel, clock: Clock
) -> None:
    batch = [at("356093000000001", io16=1000)]
    assert decoder(batch) == [None]
    Device.objects.bulk_create([Device(imei="356093000000001", model=model)])
    clock.now = 1.0
    assert decoder(batch) == ['{"odometer_km":1.0}']
    Device.objects.update(model=DeviceModelFactory(name="Bare"))
    clock.now = 2.0
    assert decoder(batch) == [None]
    Device.objects.update(model=model)
    clock.now = 3.0
    assert decoder(batch) == ['{"odometer_km":1.0}']
    Device.objects.all().delete()
    clock.now = 4.0
    assert decoder(batch) == [None]


def test_memory_is_bounded_and_a_batch_larger_than_the_bound_is_still_decoded(device: Device, clock: Clock) -> None:
    decoder = AttributeDecoder(most_devices=2, clock=clock)
    unknown = [at(f"35000000000000{n}", io16=1) for n in range(5)]
    for first, second in zip(unknown, unknown[1:], strict=False):
        assert decoder([first, second]) == [None, None]
        assert len(decoder._devices) <= 2
    assert decoder([*unknown, at(device.imei, io16=1000)])[-1] == '{"odometer_km":1.0}'


@pytest.mark.parametrize("lost", ["versions", "elements", "models_of"])
def test_a_lost_connection_is_raised_and_leaves_nothing_half_read(
    lost: str, decoder: AttributeDecoder, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(f"apps.catalog.queries.{lost}", away)
        with pytest.raises(OperationalError):
            decoder([at(device.imei, io16=1000)])
    assert decoder([at(device.imei, io16=1000)]) == ['{"odometer_km":1.0}']


def test_what_json_cannot_hold_is_left_to_the_writer(decoder: AttributeDecoder, device: Device) -> None:
    """The writer refuses the attributes themselves and puts the record aside; decoding must not fail its batch."""
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    texts = decoder([at(device.imei, io1=nested), at(device.imei, io1=object()), at(device.imei, io16=1000)])
    assert texts == [None, None, '{"odometer_km":1.0}']
