"""Examples of bodies for the OpenAPI document: what a resource gives itself, else made of the fields it needs."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

Field = serializers.Field[Any, Any, Any, Any]
ID = "5a1c7e3b-9d2f-4b8a-8c6e-0f1d2e3c4b5a"
INSTANT = "2026-06-07T06:00:00Z"
TEXTS = {
    "imei": "352093081452251",
    "email": "arta@example.org",
    "text": "Sweep car is with them",
    "reason": "Letter of 3 June",
    "time_zone": "Europe/Tirane",
    "url": "https://example.org/hook",
    "country": "AL",
    "slug": "rally-albania-2026",
    "device": "352093081452251",
    "filename": "stage-1.gpx",
}


def example_of(serializer: Any) -> dict[str, Any]:
    """A body with what must be in it."""
    needed = (field for field in serializer.fields.values() if field.required and not field.read_only)
    return {field.field_name: _value(field) for field in needed}


def _value(field: Any) -> Any:
    if isinstance(field, serializers.Serializer):
        return example_of(field)
    for kind, made in MADE:
        if isinstance(field, kind):
            return made(field)
    return TEXTS.get(field.field_name, "Example")


def _number(field: Any) -> Any:
    return field.min_value if field.min_value is not None else 1


MADE: tuple[tuple[type[Field], Callable[[Any], Any]], ...] = (
    (serializers.PrimaryKeyRelatedField, lambda field: ID),
    (serializers.ChoiceField, lambda field: next(iter(field.choices))),
    (serializers.BooleanField, lambda field: True),
    (serializers.IntegerField, _number),
    (serializers.FloatField, _number),
    (serializers.DecimalField, _number),
    (serializers.DateTimeField, lambda field: INSTANT),
    (serializers.DateField, lambda field: INSTANT[:10]),
    (serializers.UUIDField, lambda field: ID),
    (serializers.JSONField, lambda field: {}),
    (serializers.ListSerializer, lambda field: []),
    (serializers.ListField, lambda field: [_value(field.child)]),
    (serializers.DictField, lambda field: {}),
)
