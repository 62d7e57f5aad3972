"""Point features to waypoints: type, place on Earth, radii, order."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count

from apps.common.said import Said
from apps.course.domain.geometry import shown
from apps.course.domain.importing.course import ImportedWaypoint
from apps.course.domain.importing.features import Feature, number, size, to_float
from apps.course.domain.importing.findings import Findings
from apps.course.domain.importing.radii import RADII, Radius

# The codes of contracts §3; the model's own choices are the same, a test holds them together.
TYPES = ("WPV", "WPE", "WPM", "WPS", "WPC", "WPN", "WPP", "PC", "TC", "DZ", "FZ", "DN", "FN", "DSS", "ASS")
ALIASES = {"START": "DSS", "FINISH": "ASS"}  # as analyse_track reads them
EXCHANGED = Said("latitude and longitude seem to be exchanged")
GREATEST_ORDER = 2_147_483_647  # of the column
NEAR_DEG, FAR_DEG = 1.0, 5.0  # a point this far off that would be this near with its numbers exchanged


def waypoints(features: Iterable[Feature], findings: Findings) -> list[ImportedWaypoint]:
    """The waypoints in their order; those with an error are left out and noted."""
    next_order = count(1)
    found = [_waypoint(feature, next(next_order), findings) for feature in features]
    kept = sorted((point for point in found if point), key=lambda point: point.order)
    _check_orders(kept, findings)
    _check_swapped(kept, findings)
    return kept


def _waypoint(feature: Feature, position: int, findings: Findings) -> ImportedWaypoint | None:
    type_ = _type(feature, findings)
    where = _lat_lon(feature, findings)
    order = _order(feature, position, findings)
    radii = _radii(feature, type_, findings)
    if not type_ or where is None or order is None or radii is None:
        return None
    lat, lon = where
    return ImportedWaypoint(feature.place, feature.name, type_, lat, lon, radii.open_m, radii.clear_m, order)


def _type(feature: Feature, findings: Findings) -> str:
    """The given type, else the one the name begins with ("DZ 4"); "" with an error when there is neither."""
    given = ALIASES.get(feature.type.upper(), feature.type.upper())
    if given in TYPES:
        return given
    if given:
        text = Said("%(given)s is none of %(known)s", given=shown(feature.type), known=", ".join(TYPES))
        findings.error(feature.place, "type", text)
        return ""
    begins = re.match(r"[A-Z]+", feature.name.upper())
    if begins and begins[0] in TYPES:
        findings.warning(feature.place, "type", Said("not given: %(taken)s taken from the name", taken=begins[0]))
        return begins[0]
    findings.error(feature.place, "type", Said("is missing: one of %(known)s is needed", known=", ".join(TYPES)))
    return ""


def _lat_lon(feature: Feature, findings: Findings) -> tuple[float, float] | None:
    coordinates = feature.geometry.get("coordinates")
    given = coordinates[:2] if isinstance(coordinates, list | tuple) else []
    pair = [n for n in map(to_float, given) if n is not None]
    if len(pair) != 2:
        findings.error(feature.place, "coordinates", Said("a latitude and a longitude in degrees are needed"))
        return None
    lon, lat = pair
    right = _in_range(feature, "latitude", lat, 90, findings) & _in_range(feature, "longitude", lon, 180, findings)
    if not right and abs(lon) <= 90 and abs(lat) <= 180:
        findings.warning(feature.place, "coordinates", EXCHANGED)
    return (lat, lon) if right else None


def _in_range(feature: Feature, field: str, degrees: float, limit: int, findings: Findings) -> bool:
    right = abs(degrees) <= limit
    if not right:
        text = Said("%(given)s is not between -%(limit)s and %(limit)s degrees", given=f"{degrees:g}", limit=limit)
        findings.error(feature.place, field, text)
    return right


def _order(feature: Feature, position: int, findings: Findings) -> int | None:
    """The given order, else the place in the file."""
    if "order" not in feature.properties:
        return position
    given = number(feature, "order", findings)
    if given is None:
        return None
    if given != int(given) or not 0 <= given <= GREATEST_ORDER:
        text = Said("%(given)s is not a whole number from 0 to %(most)s", given=f"{given:g}", most=GREATEST_ORDER)
        findings.error(feature.place, "order", text)
        return None
    return int(given)


def _radii(feature: Feature, type_: str, findings: Findings) -> Radius | None:
    """The file's radii, else the type's; None with an error when neither gives one that can be."""
    given, opening = (size(feature, name, findings) for name in ("radius_m", "open_m"))
    default = RADII.get(type_)
    if "radius_m" in feature.properties:
        opening = opening or (default.open_m if default else None)
        return None if given is None else Radius(given, opening)
    if default is None:
        if type_:
            findings.error(
                feature.place, "radius_m", Said("is missing, and %(type)s has no radius by the rules", type=type_)
            )
        return None
    if default.advice:
        findings.warning(feature.place, "radius_m", default.advice)
    return Radius(default.clear_m, opening or default.open_m)


def _check_orders(points: Sequence[ImportedWaypoint], findings: Findings) -> None:
    first: dict[int, Said] = {}
    for point in points:
        if point.order in first:
            text = Said("%(order)s is the order of %(other)s too", order=point.order, other=first[point.order])
            findings.error(point.place, "order", text)
        first.setdefault(point.order, point.place)


def _check_swapped(points: Sequence[ImportedWaypoint], findings: Findings) -> None:
    """One point far from the others, and among them with its two numbers exchanged, was typed the wrong way."""
    if len(points) < 4:
        return
    lat, lon = (sorted(values)[len(points) // 2] for values in zip(*((p.lat, p.lon) for p in points), strict=True))
    for point in points:
        if seem_exchanged(point.lat, point.lon, lat, lon):
            findings.warning(point.place, "coordinates", EXCHANGED)


def seem_exchanged(lat: float, lon: float, near_lat: float, near_lon: float) -> bool:
    """Far from where it should be, and near with its two numbers exchanged."""
    off = max(abs(lat - near_lat), abs(lon - near_lon))
    return off > FAR_DEG and max(abs(lon - near_lat), abs(lat - near_lon)) < NEAR_DEG


PAIRS: Mapping[str, str] = {"DZ": "FZ", "DN": "FN", "DSS": "ASS"}


def pairs(
    points: Sequence[ImportedWaypoint], begin: str, findings: Findings, elsewhere: frozenset[str] = frozenset()
) -> Iterator[tuple[ImportedWaypoint, ImportedWaypoint]]:
    """(DZ, FZ), (DN, FN) or (DSS, ASS) in the order of the course; a half is an error.

    `elsewhere` names the halves that something else stands for, as a gate does for an ASS.
    """
    end = PAIRS[begin]
    opened: ImportedWaypoint | None = None
    for point in (p for p in points if p.type in (begin, end)):
        if point.type == end and opened is not None:
            yield opened, point
            opened = None
        elif point.type == end:
            _half(point, begin, elsewhere, findings)
        else:
            if opened is not None:
                _half(opened, end, elsewhere, findings)
            opened = point
    if opened is not None:
        _half(opened, end, elsewhere, findings)


def _half(point: ImportedWaypoint, other: str, elsewhere: frozenset[str], findings: Findings) -> None:
    if other not in elsewhere:
        findings.error(point.place, "type", Said("this %(begin)s has no %(end)s", begin=point.type, end=other))
