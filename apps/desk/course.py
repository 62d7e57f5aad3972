"""The course as the map editor shows and writes it: geofences, gates, waypoints and zones as flat shapes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max, Model
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.policy import may, strays
from apps.common.audit import because
from apps.common.said import listed, told
from apps.course.models import Geofence, GeofenceKind, Segment, SpeedLimitZone, Waypoint
from apps.course.queries import references
from apps.desk.place import Place

Shape = dict[str, Any]
Position = tuple[float, float]  # longitude, latitude
DECIMALS = 7  # a centimetre


class StaleError(ValueError):
    """Somebody else has saved the row meanwhile."""


class UsedError(ValueError):
    """What was already driven refers to the row: say so before it is moved."""


def shapes(place: Place) -> list[Shape]:
    """Every shape of the stage, and the geofences of the event, by name."""
    stage = place.stage
    waypoints = Waypoint.objects.filter(segment__stage=stage).select_related("segment")
    zones = SpeedLimitZone.objects.filter(segment__stage=stage).select_related("segment")
    found = [of_waypoint(row) for row in waypoints] if stage else []
    found += [of_zone(row) for row in zones] if stage else []
    return found + [of_geofence(row) for row in Geofence.objects.filter(event=place.event)]


def of_geofence(row: Geofence) -> Shape:
    line = row.geometry["type"] == "LineString"
    ring = row.geometry["coordinates"] if line else row.geometry["coordinates"][0][:-1]
    return {
        **_common(row, "geofence", "line" if line else "polygon", ring),
        "type": row.kind, "bearing": row.bearing, "segment": "",
    }  # fmt: skip


def of_waypoint(row: Waypoint) -> Shape:
    return {
        **_common(row, "waypoint", "point", [[row.longitude, row.latitude]]),
        "type": row.type, "radius": row.tolerance_meters, "opening": row.opening_radius,
        "segment": str(row.segment_id), "order": row.sort_order,
    }  # fmt: skip


def of_zone(row: SpeedLimitZone) -> Shape:
    """A zone between two waypoints has no shape of its own: it is listed, and drawn by its waypoints."""
    ring = row.geometry["coordinates"][0][:-1] if row.geometry else []
    return {
        **_common(row, "zone", "polygon" if row.geometry else "pair", ring),
        "type": "", "limit": row.speed_limit_kmh, "tolerance": row.tolerance_kmh, "segment": str(row.segment_id),
    }  # fmt: skip


def _common(row: Any, kind: str, shape: str, positions: Sequence[Sequence[float]]) -> Shape:
    table = row._meta.model_name
    return {
        "id": str(row.pk),
        "kind": kind,
        "shape": shape,
        "name": row.name,
        "label": str(row),
        "coordinates": [[lon, lat] for lon, lat, *_height in positions],
        "updated": row.updated_at.isoformat(),
        "form": reverse(f"admin:course_{table}_change", args=[row.pk]),
        "history": reverse(f"admin:course_{table}_history", args=[row.pk]),
    }


@dataclass(frozen=True, slots=True)
class Saved:
    """What the editor sent: the shape, why, and whether its author has read what it will do."""

    shape: Mapping[str, Any]
    reason: str
    sure: bool


def save(place: Place, saved: Saved) -> Shape:
    """Write one shape. Raises ValidationError naming the field, StaleError, UsedError, PermissionDenied."""
    kind = str(saved.shape.get("kind", ""))
    if kind not in KINDS:
        raise ValidationError({"kind": _("A shape is a geofence, a waypoint or a zone.")})
    model, fill, show = KINDS[kind]
    with transaction.atomic(), because(saved.reason):
        row = _row(place, model, saved.shape)
        fill(place, row, saved.shape)
        row.full_clean()
        _check_right(place, row)
        if not row._state.adding and not saved.sure:
            _ask(row)
        row.save()
    shown: Shape = show(row)
    return shown


def _row(place: Place, model: Any, shape: Mapping[str, Any]) -> Any:
    """The row to be written, locked; a new one without an id."""
    if not shape.get("id"):
        return model()
    rows = model.objects.select_for_update(of=("self",))
    row = rows.filter(pk=_uuid(shape["id"], "id"), **{f"{_to_event(model)}": place.event}).first()
    if row is None:
        raise ValidationError({"id": _("It is gone: load the page again.")})
    _check_right(place, row)
    if row.updated_at.isoformat() != shape.get("updated"):
        raise StaleError(_("Somebody else has changed it meanwhile. Load the page again; your shape is not saved."))
    return row


def _check_right(place: Place, row: Model) -> None:
    action = "add" if row._state.adding else "change"
    if not may(place.user, action, row):
        raise PermissionDenied(_("You may not change the course."))
    wrong = strays(place.user, row)
    if wrong:
        raise ValidationError(wrong)


def _ask(row: Any) -> None:
    """What holds on to the shape is scored again when it moves."""
    held = references([row.pk])
    if held:
        words = {"name": str(row), "what": told(listed(held), _)}
        raise UsedError(_("%(name)s has %(what)s. Saving it scores again what was driven. Save it?") % words)


def _fill_geofence(place: Place, row: Geofence, shape: Mapping[str, Any]) -> None:
    line = shape.get("shape") == "line"
    row.event = place.event
    row.name = str(shape.get("name", "")).strip()
    row.kind = GeofenceKind.GATE if line else str(shape.get("type") or GeofenceKind.AREA)
    row.bearing = _number(shape, "bearing") if line else None
    row.geometry = _geometry(shape, row.geometry, line=line)


def _fill_waypoint(place: Place, row: Waypoint, shape: Mapping[str, Any]) -> None:
    positions = _positions(shape)
    if len(positions) != 1:
        raise ValidationError({"coordinates": _("A waypoint is one point.")})
    [(row.longitude, row.latitude)] = positions
    row.segment = _segment(place, shape)
    row.name = str(shape.get("name", "")).strip()
    row.type = str(shape.get("type", ""))
    row.tolerance_meters = _number(shape, "radius") or 0.0
    row.opening_radius = _number(shape, "opening")
    if row._state.adding:
        last = Waypoint.objects.filter(segment=row.segment).aggregate(last=Max("sort_order"))["last"]
        row.sort_order = (last or 0) + 10
    else:
        row.sort_order = int(_number(shape, "order") or row.sort_order)


def _fill_zone(place: Place, row: SpeedLimitZone, shape: Mapping[str, Any]) -> None:
    row.segment = _segment(place, shape)
    row.name = str(shape.get("name", "")).strip()
    row.speed_limit_kmh = _number(shape, "limit") or 0.0
    row.tolerance_kmh = _number(shape, "tolerance") or 0.0
    if row._state.adding or row.geometry is not None:
        row.geometry = _geometry(shape, row.geometry, line=False)


KINDS: dict[str, tuple[Any, Callable[..., None], Callable[[Any], Shape]]] = {
    "geofence": (Geofence, _fill_geofence, of_geofence),
    "waypoint": (Waypoint, _fill_waypoint, of_waypoint),
    "zone": (SpeedLimitZone, _fill_zone, of_zone),
}


def _to_event(model: type[Model]) -> str:
    return "event" if model is Geofence else "segment__stage__event"


def _segment(place: Place, shape: Mapping[str, Any]) -> Segment:
    """The segment it belongs to, of the stage that is shown."""
    rows = Segment.objects.filter(stage=place.stage)
    found = rows.filter(pk=_uuid(shape.get("segment"), "segment")).first() if shape.get("segment") else None
    if found is None:
        raise ValidationError({"segment": _("Choose the segment it belongs to.")})
    return found


def _geometry(shape: Mapping[str, Any], before: Any, *, line: bool) -> dict[str, Any]:
    """GeoJSON of the positions; the holes a polygon had stay."""
    positions = [list(position) for position in _positions(shape)]
    if line:
        if len(positions) != 2:
            raise ValidationError({"coordinates": _("A gate is a line of two points.")})
        return {"type": "LineString", "coordinates": positions}
    if len(positions) < 3:
        raise ValidationError({"coordinates": _("An area needs three corners or more.")})
    holes = before["coordinates"][1:] if before and before["type"] == "Polygon" else []
    return {"type": "Polygon", "coordinates": [[*positions, positions[0]], *holes]}


def _positions(shape: Mapping[str, Any]) -> list[Position]:
    """Raises ValidationError naming the position that is none."""
    given = shape.get("coordinates")
    if not isinstance(given, list):
        raise ValidationError({"coordinates": _("A list of positions is needed.")})
    return [_position(number, one) for number, one in enumerate(given, start=1)]


def _position(number: int, one: Any) -> Position:
    right = isinstance(one, list) and len(one) == 2 and all(_is_number(value) for value in one)
    if not right or not (-180 <= one[0] <= 180 and -90 <= one[1] <= 90):
        raise ValidationError({"coordinates": _("Position %d is no place on Earth.") % number})
    return round(float(one[0]), DECIMALS), round(float(one[1]), DECIMALS)


def _number(shape: Mapping[str, Any], name: str) -> float | None:
    value = shape.get(name)
    if value is None or value == "":
        return None
    if not _is_number(value):
        raise ValidationError({name: _("A number is needed.")})
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _uuid(value: Any, name: str) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise ValidationError({name: _("It is gone: load the page again.")}) from error
