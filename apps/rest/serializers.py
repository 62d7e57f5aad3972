"""A serializer for each model, made of its fields: what a body may hold, and what the OpenAPI document says.

JSON types are taken at their word ("5" is no number, 1 is no truth). What a row as a whole must be is said by the
model, in `clean` and its constraints, which the admin asks as well (`apps.rest.writing`).
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError as ModelInvalid
from django.db import models
from django.db.models import Model
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.utils.serializer_helpers import BindingDict

from apps.accounts.policy_table import GUARDED, SECRET
from apps.rest.loading import load

NUL = "\x00"
LONGEST = 2000  # characters of a reason


class Whole(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        # To JSON Schema 3.0 is an integer, and some programs write none other.
        whole = type(data) is int or (type(data) is float and data.is_integer())
        return super().to_internal_value(int(data)) if whole else self.fail("invalid")


class Number(serializers.FloatField):
    def to_internal_value(self, data: Any) -> float:
        return super().to_internal_value(data) if type(data) in (int, float) else self.fail("invalid")


class Truth(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        return data if type(data) is bool else self.fail("invalid", input=data)


class Text(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data) if isinstance(data, str) else self.fail("invalid")


class Choice(serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> Any:
        # A choice is found by its text: 1000 and "1000" would be the same.
        if data != "" and not any(data == key and type(data) is type(key) for key in self.choices):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class Instant(serializers.DateTimeField):
    def to_internal_value(self, value: Any) -> Any:
        return super().to_internal_value(value) if isinstance(value, str) else self.fail("invalid", format="ISO 8601")


class Key(serializers.UUIDField):
    """The id of what may stand in one of several tables."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) if isinstance(data, str) else self.fail("invalid", value=data)


class Json(serializers.JSONField):
    def to_internal_value(self, data: Any) -> Any:
        if _has_nul(data):
            raise serializers.ValidationError(_("Texts must not contain NUL."))
        return super().to_internal_value(data)


class Reference(serializers.PrimaryKeyRelatedField):  # type: ignore[type-arg]
    """The id of another row. That it exists says nothing: the policy is asked before anything is written."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("incorrect_type", data_type=type(data).__name__)
        rows: Any = self.get_queryset()
        try:
            rows.model._meta.pk.to_python(data)
        except ModelInvalid as error:
            raise serializers.ValidationError(_("This is no id."), code="invalid") from error
        row = load(rows.model, data)
        return row if row is not None else self.fail("does_not_exist", pk_value=data)

    def use_pk_only_optimization(self) -> bool:
        return True


FIELDS: dict[type[models.Field[Any, Any]], type[serializers.Field[Any, Any, Any, Any]]] = {
    models.IntegerField: Whole,
    models.PositiveIntegerField: Whole,
    models.PositiveSmallIntegerField: Whole,
    models.SmallIntegerField: Whole,
    models.BigIntegerField: Whole,
    models.FloatField: Number,
    models.BooleanField: Truth,
    models.CharField: Text,
    models.TextField: Text,
    models.DateTimeField: Instant,
    models.JSONField: Json,
}


class Known:
    """Refuses fields it does not know, or which are not to be set: a slip of the pen is not left out in silence."""

    def to_internal_value(self, data: Any) -> Any:
        fields = self.fields  # type: ignore[attr-defined]
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in fields or fields[name].read_only]
            if unknown:
                raise serializers.ValidationError({name: [_("There is no such field to set.")] for name in unknown})
        return super().to_internal_value(data)  # type: ignore[misc]


class Body(Known, serializers.Serializer[Any]):
    """The body of an act."""


class Reason(Body):
    reason = Text(max_length=LONGEST)


class RowSerializer(Known, serializers.ModelSerializer[Any]):
    """Its fields keep nothing of a request, so all of a class's serializers share them: copies would cost more."""

    serializer_field_mapping = {**serializers.ModelSerializer.serializer_field_mapping, **FIELDS}
    serializer_choice_field = Choice
    serializer_related_field = Reference

    @cached_property
    def fields(self) -> BindingDict:
        return _bound(type(self), self.partial)

    def get_unique_together_validators(self) -> list[Any]:
        return []  # the model's constraints say it, once

    def get_unique_for_date_validators(self) -> list[Any]:
        return []

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        made, options = super().build_standard_field(field_name, model_field)
        options["validators"] = [v for v in options.get("validators", ()) if not hasattr(v, "queryset")]
        if isinstance(model_field, ArrayField):
            options |= {} if model_field.blank else {"min_length": 1}
        return made, options

    def build_relational_field(self, field_name: str, relation_info: Any) -> Any:
        made, options = super().build_relational_field(field_name, relation_info)
        options["validators"] = [v for v in options.get("validators", ()) if not hasattr(v, "queryset")]
        return made, options


@cache
def _bound(kind: type[RowSerializer], partial: bool) -> BindingDict:
    owner = kind(partial=partial)
    found = BindingDict(owner)
    for name, field in owner.get_fields().items():
        found[name] = field
    return found


@dataclass(frozen=True, slots=True)
class Nested:
    """Rows that are made together with the one they hang on: the name in the body, their model, and the key."""

    name: str
    model: type[Model]
    key: str

    def field(self) -> Any:
        base = serializer_for(self.model, frozenset({self.key}))
        name = f"{base.__name__}Inside"
        made = type(name, (base,), {})
        return made(many=True, required=False, write_only=True)


@cache
def serializer_for(
    model: type[Model], read_only: frozenset[str] = frozenset(), nested: tuple["Nested", ...] = ()
) -> type[RowSerializer]:
    """The class for a model. Fields are made once: DRF would make them anew for each request."""
    table = model._meta.db_table
    hidden = SECRET.get(table, "").split()
    guarded = frozenset(GUARDED.get(table, "").split())
    names = [field.name for field in model._meta.concrete_fields if field.name not in hidden]
    meta = type("Meta", (), {"model": model, "fields": names, "read_only_fields": tuple(read_only | guarded)})
    bare = type(model.__name__, (RowSerializer,), {"Meta": meta})
    made = dict(bare().get_fields()) | {one.name: one.field() for one in nested}
    meta.fields = [*names, *(one.name for one in nested)]  # type: ignore[attr-defined]
    return type(model.__name__, (RowSerializer,), {"Meta": meta, "__doc__": _words(model), **made})


def _words(model: type[Model]) -> str:
    """What a model says of itself; Django gives one without words a list of its fields."""
    told = inspect.getdoc(model) or ""
    return "" if told.startswith(f"{model.__name__}(") else told


def _has_nul(data: Any) -> bool:
    if isinstance(data, str):
        return NUL in data
    if isinstance(data, dict):
        return any(_has_nul(key) or _has_nul(value) for key, value in data.items())
    return isinstance(data, list) and any(map(_has_nul, data))
