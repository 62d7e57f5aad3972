"""Examples for the OpenAPI document: what a resource gives itself, else made of the fields by their names and kinds."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

Field = serializers.Field[Any, Any, Any, Any]
ID = "5a1c7e3b-9d2f-4b8a-8c6e-0f1d2e3c4b5a"
INSTANT = "2026-06-07T06:00:00Z"
HASH = "9f2c6e0b4a7d1835"
EPOCH_MS = 1_780_812_000_000
ENTRY = "1e2d3c4b-5a69-4788-8796-a5b4c3d2e1f0"
STAGE = "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d"
USER = "6b2d8f4c-ae30-4c9b-9d7f-1a2e3f4d5c6b"
IDS = (
    {
        "organization": "3e0d4a6e-6c51-4d8e-9a1f-0d5c8b7e2f10",
        "event": "b6f7c9d2-2f0b-4f53-8d43-6f1f7f0f5a01",
        "race_class": "0f1a2b3c-4d5e-4f60-8a71-92b3c4d5e6f7",
        "vehicle": "7d9f3b1e-8c2a-4e6d-9b5f-1a2b3c4d5e6f",
        "device": "c4d5e6f7-a8b9-4c0d-9e1f-2a3b4c5d6e7f",
        "segment": "2b3c4d5e-6f70-4812-93a4-b5c6d7e8f901",
        "control": "8f9e0d1c-2b3a-4958-8677-6a5b4c3d2e1f",
    }
    | dict.fromkeys(("entry", "entryId"), ENTRY)
    | dict.fromkeys(("stage", "stageId"), STAGE)
)
IDS |= dict.fromkeys(("user", "author", "answered_by", "published_by", "owner"), USER)
TEXTS = {
    "imei": "352093081452251",
    "device": "352093081452251",
    "email": "arta@example.org",
    "password": "correct horse battery",
    "first_name": "Arta",
    "last_name": "Hoxha",
    "who": "arta@example.org",
    "crew": "A. Hoxha / B. Leka",
    "vehicle": "Toyota Land Cruiser 70",
    "make": "Toyota",
    "model": "Land Cruiser 70",
    "name": "North",
    "code": "C-2",
    "classCode": "C-2",
    "text": "Sweep car is with them",
    "reason": "Letter of 3 June",
    "article": "4.37",
    "about": "medical",
    "kind": "road_offence",
    "table": "entries",
    "row": ENTRY,
    "row_id": ENTRY,
    "pattern": "getver",
    "time_zone": "Europe/Tirane",
    "url": "https://example.org/hook",
    "slug": "rally-albania-2026",
    "filename": "stage-1.gpx",
    "content": '<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"/>',
    "lastControl": "CP 4",
    "last_control": "CP 4",
    "control": "CP 4",
    "stage": "Stage 1",
    "race_class": "C-2",
    "status": "running",
    "version": "1",
    "hash": HASH,
    "inputs_hash": HASH,
    "missing": "",
    "crash_attribute": "crash",
    "tilt_attribute": "tilt",
} | dict.fromkeys(("revoked_reason", "withdrawn_reason"), "")
NUMBERS = {
    "id": 4711, "race_number": 301, "raceNumber": 301, "number": 301, "rank": 3, "classRank": 1, "class_rank": 1,
    "latitude": 41.33, "longitude": 19.82, "tolerance_meters": 90, "speed_limit_kmh": 50, "slowest_kmh": 30,
    "sort_order": 1, "start_position": 1, "position": 1, "seconds": 120, "cc": 4500, "year": 2019, "version": 1,
    "seq": 118, "start_interval_seconds": 120, "overall_factor": 1, "uncertainty_ms": 300, "occurrence": 1,
}  # fmt: skip
NUMBERS |= dict.fromkeys(("time_ms", "timeMs"), 5_412_300) | dict.fromkeys(("total_ms", "totalMs"), 5_532_300)
NUMBERS |= dict.fromkeys(("penalty_ms", "penaltyMs"), 120_000)
INSTANTS = ("ts", "alarm_ts", "before_ts", "after_ts", "from_ts", "to_ts", "slot_ms", "start_ms", "old_ms", "new_ms")
NUMBERS |= dict.fromkeys(INSTANTS, EPOCH_MS)
NAMED = frozenset({*IDS, *TEXTS, *NUMBERS})


def example_of(serializer: Any) -> dict[str, Any]:
    """A body with what must be in it."""
    needed = (field for field in serializer.fields.values() if field.required and not field.read_only)
    return {field.field_name: _value(field, example_of) for field in needed}


def change_of(serializer: Any) -> dict[str, Any]:
    """A body that changes one thing: what must be there rather than what may, and no reference if it can be helped."""
    fields = [field for field in serializer.fields.values() if not field.read_only]
    plain = [field for field in fields if not isinstance(field, serializers.PrimaryKeyRelatedField)]
    first = next(iter(sorted(plain or fields, key=lambda field: not field.required)))
    return {first.field_name: _value(first, change_of)}


def answer_of(serializer: Any) -> dict[str, Any]:
    """An answer with all its fields."""
    shown = (field for field in serializer.fields.values() if not field.write_only)
    return {field.field_name: _shown(field) for field in shown}


def _shown(field: Any) -> Any:
    inside = isinstance(field, serializers.BaseSerializer)
    if field.allow_null and field.field_name not in NAMED and not inside:
        return None
    return _value(field, answer_of)


def _value(field: Any, inside: Callable[[Any], Any]) -> Any:
    if isinstance(field, serializers.Serializer):
        return inside(field)
    if isinstance(field, (serializers.ListSerializer, serializers.ListField)):
        return [_value(field.child, inside)]
    made = next((made for kind, made in MADE if isinstance(field, kind)), _text)
    return made(field)


def _id(field: Any) -> str:
    return IDS.get(field.field_name or "", ID)


def _number(field: Any) -> Any:
    least = max(getattr(field, "min_value", None) or 0, 0)
    return NUMBERS.get(field.field_name or "", least)


def _text(field: Any) -> str:
    otherwise = "" if getattr(field, "allow_blank", False) else "Example"
    return TEXTS.get(field.field_name or "", otherwise)


MADE: tuple[tuple[type[Field], Callable[[Any], Any]], ...] = (
    (serializers.PrimaryKeyRelatedField, _id),
    (serializers.ChoiceField, lambda field: next(iter(field.choices))),
    (serializers.BooleanField, lambda field: True),
    (serializers.IntegerField, _number),
    (serializers.FloatField, _number),
    (serializers.DecimalField, _number),
    (serializers.DateTimeField, lambda field: INSTANT),
    (serializers.DateField, lambda field: INSTANT[:10]),
    (serializers.UUIDField, _id),
    (serializers.JSONField, lambda field: {}),
    (serializers.DictField, lambda field: {}),
)
