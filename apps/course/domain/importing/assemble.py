"""Features to the course of a segment, with every check that needs no database."""

from collections.abc import Iterator, Sequence
from typing import Any

from apps.course.domain.geometry import check_geometry, control_geometry, shown
from apps.course.domain.importing.course import ImportedCourse, ImportedFence, ImportedWaypoint, ImportedZone
from apps.course.domain.importing.features import LONGEST_NAME, Feature, number, size
from apps.course.domain.importing.findings import Findings
from apps.course.domain.importing.points import pairs, waypoints

AREA_KINDS = ("area", "bivouac", "parc-ferme")
ROLES = {"start": "DSS", "finish": "ASS"}  # and the waypoint type each stands for
ZONE_TYPES = ("speed-zone", "speed_zone", "speedzone", "zone")


def assemble(features: Sequence[Feature], findings: Findings) -> ImportedCourse:
    """The course; what has an error is left out of it and noted."""
    for feature in features:
        _check_name(feature, findings)
    points = waypoints([f for f in features if f.shape == "Point"], findings)
    limits = _limits(features, findings)
    zones: list[ImportedZone] = []
    fences: list[ImportedFence] = []
    for feature in features:
        if _is_zone(feature):
            zones += _polygon_zone(feature, findings)
        elif feature.shape in ("Polygon", "LineString"):
            fences += _fence(feature, findings)
        elif feature.shape != "Point":
            findings.error(feature.place, "geometry", f"Point, Polygon or LineString, not {shown(feature.shape)}")
    _check_fences(fences, findings)
    zones += _pair_zones(points, limits, findings)
    _check_pairs(points, fences, findings)
    return ImportedCourse(tuple(points), tuple(fences), tuple(zones))


def _check_name(feature: Feature, findings: Findings) -> None:
    if len(feature.name) > LONGEST_NAME:
        findings.error(feature.place, "name", f"is longer than {LONGEST_NAME} characters")


def _limits(features: Sequence[Feature], findings: Findings) -> dict[str, float]:
    """place of a DZ → its limit, km/h. Two tags on one point share the place, but one of them only is a DZ."""
    found = {}
    for feature in features:
        if feature.shape == "Point" and "speed_limit_kmh" in feature.properties:
            limit = size(feature, "speed_limit_kmh", findings)
            if limit is not None:
                found[feature.place] = limit
    return found


def _is_zone(feature: Feature) -> bool:
    limited = "speed_limit_kmh" in feature.properties or feature.type.lower() in ZONE_TYPES
    return limited and feature.shape in ("Polygon", "LineString")


def _polygon_zone(feature: Feature, findings: Findings) -> Iterator[ImportedZone]:
    limit = size(feature, "speed_limit_kmh", findings)
    if "speed_limit_kmh" not in feature.properties:
        findings.error(feature.place, "speed_limit_kmh", "is missing")
    if feature.shape != "Polygon":
        findings.error(feature.place, "geometry", "a speed zone is a Polygon; a line has no inside")
        return
    geometry = _geometry(feature, None, findings)
    if geometry is not None and limit is not None:
        yield ImportedZone(feature.place, feature.name, limit, geometry)


def _pair_zones(
    points: Sequence[ImportedWaypoint], limits: dict[str, float], findings: Findings
) -> Iterator[ImportedZone]:
    for place in limits.keys() - {point.place for point in points if point.type == "DZ"}:
        findings.warning(place, "speed_limit_kmh", "only a DZ begins a zone: this limit is left out")
    for dz, fz in pairs(points, "DZ", findings):
        if dz.place in limits:
            yield ImportedZone(dz.place, dz.name, limits[dz.place], dz_order=dz.order, fz_order=fz.order)
        else:
            findings.error(dz.place, "speed_limit_kmh", "this DZ has no limit")


def _fence(feature: Feature, findings: Findings) -> Iterator[ImportedFence]:
    role = feature.type.lower() if feature.type.lower() in ROLES else ""
    kind = _kind(feature, role, findings)
    bearing = number(feature, "bearing", findings)
    if kind and not feature.name:
        findings.error(feature.place, "name", "is missing: a geofence is known by its name")
    geometry = _geometry(feature, bearing, findings) if kind else None
    if geometry is not None:
        yield ImportedFence(feature.place, feature.name, kind, geometry, bearing, role)


def _kind(feature: Feature, role: str, findings: Findings) -> str:
    """gate, area, bivouac, parc-ferme; "" for what is no geofence, which is noted."""
    given = "" if role else feature.type.lower()
    if feature.shape == "LineString":
        return _gate_kind(feature, given, role, findings)
    if given in ("", *AREA_KINDS):
        return given or "area"
    findings.error(feature.place, "type", f"{shown(feature.type)} is none of {', '.join((*AREA_KINDS, *ROLES))}")
    return ""


def _gate_kind(feature: Feature, given: str, role: str, findings: Findings) -> str:
    points = feature.geometry.get("coordinates")
    if given == "gate" or role or not (isinstance(points, list) and len(points) > 2):
        if given in ("", "gate"):
            return "gate"
        findings.error(feature.place, "type", f"{shown(feature.type)} is none of gate, {', '.join(ROLES)}")
        return ""
    findings.warning(feature.place, "geometry", f"a line of {len(points)} points is no gate, left out")
    return ""


def _geometry(feature: Feature, bearing: float | None, findings: Findings) -> dict[str, Any] | None:
    """The geometry, without what a file may carry beside it; None, and an error, when detection could not use it."""
    try:
        return control_geometry(check_geometry(feature.geometry, bearing))
    except ValueError as error:
        findings.error(feature.place, "geometry", str(error).removeprefix("geometry: "))
        return None


def _check_fences(fences: Sequence[ImportedFence], findings: Findings) -> None:
    names: dict[str, str] = {}
    roles: dict[str, str] = {}
    for fence in fences:
        for field, value, seen in (("name", fence.name, names), ("type", fence.role, roles)):
            if value and value in seen:
                findings.error(fence.place, field, f"{value!r} is given by {seen[value]} too")
            seen.setdefault(value, fence.place)


def _check_pairs(points: Sequence[ImportedWaypoint], fences: Sequence[ImportedFence], findings: Findings) -> None:
    elsewhere = frozenset(ROLES[fence.role] for fence in fences if fence.role)
    for begin in ("DN", "DSS"):
        for _pair in pairs(points, begin, findings, elsewhere):
            pass
