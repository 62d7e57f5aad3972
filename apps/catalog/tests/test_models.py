"""What an IO mapping refuses, in the form with words and in the table by whatever door."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.catalog.factories import IoMappingFactory
from apps.catalog.models import IoMapping

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("io_id", "6 6", "Letters, digits and underscores"),
        ("kind", "External Voltage", "Small letters, digits"),
        ("kind", "66", "Small letters, digits"),
        ("value_type", "float", "is not a valid choice"),
        ("scale", 0.0, "Scale: a number other than 0"),
        ("scale", 2e9, "Scale: a number other than 0"),
        ("scale", float("nan"), "Scale: a number other than 0"),
        ("offset", float("inf"), "Offset: a number"),
        ("value_type", "text", "A text has no scale"),
        ("name", "", "cannot be blank"),
    ],
)
def test_the_form_refuses_with_words(field: str, value: object, message: str) -> None:
    row = IoMappingFactory.build(device_model=IoMappingFactory().device_model, scale=0.001)
    setattr(row, field, value)
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    assert message in str(caught.value)


def test_two_ids_of_one_model_cannot_have_one_key() -> None:
    first = IoMappingFactory(io_id="66", name="External Voltage", kind="")
    second = IoMappingFactory.build(device_model=first.device_model, io_id="67", kind="external_voltage")
    with pytest.raises(ValidationError, match="IO 66 is external_voltage already"):
        second.full_clean()
    first.full_clean()


@pytest.mark.parametrize(
    ("field", "value"),
    [("value_type", "float"), ("scale", 0.0), ("scale", float("nan")), ("scale", float("inf")), ("offset", 1e300)],
)
def test_the_table_refuses_what_no_decoder_could_use(field: str, value: object) -> None:
    """Else one UPDATE by hand would stop the pipeline."""
    row = IoMappingFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        IoMapping.objects.filter(pk=row.pk).update(**{field: value})
