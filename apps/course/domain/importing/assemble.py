"""Features to the course of a segment, with every check that needs no database."""

from collections.abc import Iterator, Sequence
from typing import Any

from apps.common.said import Said
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
            text = Said("Point, Polygon or LineString, not %(given)s", given=shown(feature.shape))
            findings.error(feature.place, "geometry", text)
    _check_fences(fences, findings)
    zones += _pair_zones(points, limits, findings)
    _check_pairs(points, fences, findings)
    return ImportedCourse(tuple(points), tuple(fences), tuple(zones))


def _check_name(feature: Feature, findings: Findings) -> None:
    if len(feature.name) > LONGEST_NAME:
        findings.error(feature.place, "name", Said("is longer than %(most)s characters", most=LONGEST_NAME))


def _limits(features: Sequence[Feature], findings: Findings) -> dict[Said, float]:
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
        findings.error(feature.place, "speed_limit_kmh", Said("is missing"))
    if feature.shape != "Polygon":
        findings.error(feature.place, "geometry", Said("a speed zone is a Polygon; a line has no inside"))
        return
    geometry = _geometry(feature, None, findings)
    if geometry is not None and limit is not None:
        yield ImportedZone(feature.place, feature.name, limit, geometry)


def _pair_zones(
    points: Sequence[ImportedWaypoint], limits: dict[Said, float], findings: Findings
) -> Iterator[ImportedZone]:
    for place in limits.keys() - {point.place for point in points if point.type == "DZ"}:
        findings.warning(place, "speed_limit_kmh", Said("only a DZ begins a zone: this limit is left out"))
    for dz, fz in pairs(points, "DZ", findings):
        if dz.place in limits:
            yield ImportedZone(dz.place, dz.name, limits[dz.place], dz_order=dz.order, fz_order=fz.order)
        else:
            findings.error(dz.place, "speed_limit_kmh", Said("this DZ has no limit"))


def _fence(feature: Feature, findings: Findings) -> Iterator[ImportedFence]:
    role = feature.type.lower() if feature.type.lower() in ROLES else ""
    kind = _kind(feature, role, findings)
    bearing = number(feature, "bearing", findings)
    if kind and not feature.name:
        findings.error(feature.place, "name", Said("is missing: a geofence is known by its name"))
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
    findings.error(feature.place, "type", _none_of(feature, (*AREA_KINDS, *ROLES)))
    return ""


def _gate_kind(feature: Feature, given: str, role: str, findings: Findings) -> str:
    points = feature.geometry.get("coordinates")
    if given == "gate" or role or not (isinstance(points, list) and len(points) > 2):
        if given in ("", "gate"):
            return "gate"
        findings.error(feature.place, "type", _none_of(feature, ("gate", *ROLES)))
        return ""
    text = Said("a line of %(count)s points is no gate, left out", count=len(points))
    findings.warning(feature.place, "geometry", text)
    return ""


def _none_of(feature: Feature, known: Sequence[str]) -> Said:
    return Said("%(given)s is none of %(known)s", given=shown(feature.type), known=", ".join(known))


def _geometry(feature: Feature, bearing: float | None, findings: Findings) -> dict[str, Any] | None:
    """The geometry, without what a file may carry beside it; None, and an error, when detection could not use it."""
    try:
        return control_geometry(check_geometry(feature.geometry, bearing))
    except ValueError as error:
        findings.error(feature.place, "geometry", error.args[0])
        return None


def _check_fences(fences: Sequence[ImportedFence], findings: Findings) -> None:
    names: dict[str, Said] = {}
    roles: dict[str, Said] = {}
    for fence in fences:
        for field, value, seen in (("name", fence.name, names), ("type", fence.role, roles)):
            if value and value in seen:
                text = Said("%(given)s is given by %(other)s too", given=repr(value), other=seen[value])
                findings.error(fence.place, field, text)
            seen.setdefault(value, fence.place)


def _check_pairs(points: Sequence[ImportedWaypoint], fences: Sequence[ImportedFence], findings: Findings) -> None:
    elsewhere = frozenset(ROLES[fence.role] for fence in fences if fence.role)
    for begin in ("DN", "DSS"):
        for _pair in pairs(points, begin, findings, elsewhere):
            pass
