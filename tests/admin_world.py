"""A rally with a row of every table of the admin for each entry, made in bulk: what pages cost is counted on it."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Field, Model

from apps.accounts.factories import CommentFactory
from apps.accounts.models import Organization, OrganizationUser, User
from apps.catalog.models import DeviceModel, IoMapping
from apps.commands.models import CommandText
from apps.course.models import Geofence, Segment, SpeedLimitZone, Stage, Waypoint
from apps.desk.tests import office as offices
from apps.desk.tests.office import Office
from apps.events.models import Event, RaceClass
from apps.penalties.models import PenaltyFormula, RuleAnswer
from apps.racelog.models import RaceControlSettings
from apps.safety.models import SafetySettings, StageClosing
from tests.test_admin import FACTORIES

# What entries share: their keys point to the first of these, and there are only a few of them.
SHARED = (Organization, Event, RaceClass, Stage, Segment, Geofence, Waypoint, SpeedLimitZone, DeviceModel,
          PenaltyFormula)  # fmt: skip
FEW = 12
ONE = (SafetySettings, StageClosing, RaceControlSettings)  # of an event, of a stage at a time
# Keys that say that something is over, or move it elsewhere.
UNSET = (
    "dz_waypoint",
    "fz_waypoint",
    "entry_geofence",
    "exit_geofence",
    "revoked_by",
    "withdrawn_by",
    "reopened_by",
    "closed_by",
    "after",
    "decision",
    "start_order_input_stage",
)

# Where the factory's own number is taken already, by a seed or by the office.
NAMED = {RuleAnswer: "key", DeviceModel: "name", IoMapping: "io_id", CommandText: "pattern", RaceClass: "code"}

Rows = dict[type[Model], list[Any]]


class World:
    """`grow` makes as many of everything as there are entries; `rows` has them by model."""

    def __init__(self) -> None:
        self.office: Office = offices.build(1)
        self.user = offices.official(self.office, "org-admin")
        self.rows: Rows = {
            User: [self.user],
            OrganizationUser: [OrganizationUser.objects.get(user=self.user)],
            Organization: [self.office.event.organization],
            Waypoint: list(self.office.controls),
        }

    def grow(self, count: int) -> None:
        for model in _in_order():
            have = self.rows.setdefault(model, list(_begun(model)))
            wanted = 1 if model in ONE else min(count, FEW) if model in SHARED else count
            fresh = [self._built(model, n) for n in range(len(have), wanted)]
            have.extend(model._base_manager.bulk_create(fresh))

    def _built(self, model: type[Model], n: int) -> Any:
        fields = {field.name: field for field in model._meta.concrete_fields}
        given = {name: self._target(field, n) for name, field in fields.items() if field.is_relation}
        if model in NAMED:
            given[NAMED[model]] = f"x{n}"
        if "control" in fields:
            given["control"] = self.office.controls[2].pk
        if model is CommentFactory._meta.model:
            given |= {"table": "entries", "row": str(self.office.entries[0].pk)}
        return FACTORIES[model].build(**given)

    def _target(self, field: "Field[Any, Any]", n: int) -> Any:
        target: Any = field.related_model
        if field.name in UNSET or target is field.model or not (rows := self.rows.get(target)):
            return None
        return rows[n if target not in SHARED and n < len(rows) else 0]


def _begun(model: type[Model]) -> Any:
    """What the office has made, or a seed."""
    return model._base_manager.order_by("pk")[:1]


def _in_order() -> Iterator[type[Model]]:
    """Models after those their keys point to."""
    left: dict[type[Model], None] = dict.fromkeys(model for model in FACTORIES if model is not None)
    while left:
        ready = [model for model in left if not _needs(model) & left.keys() - {model}]
        assert ready, f"keys in a circle: {left}"
        for model in ready:
            del left[model]
            yield model


def _needs(model: type[Model]) -> set[Any]:
    return {f.related_model for f in model._meta.concrete_fields if f.is_relation and f.name not in UNSET}
