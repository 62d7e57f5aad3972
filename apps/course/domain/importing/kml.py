"""KML: Placemarks with a Point, a Polygon or a LineString; the properties are in ExtendedData."""

from collections.abc import Iterator
from typing import Any

from apps.common.said import Said
from apps.course.domain.importing.features import Feature, canonical, clean_name, to_float
from apps.course.domain.importing.findings import Findings, line, place
from apps.course.domain.importing.xml import Node, parse

SHAPES = ("Point", "LineString", "Polygon")
OTHER_SHAPES = ("MultiGeometry", "Track", "MultiTrack", "Model", "LinearRing")


def read_kml(data: bytes, findings: Findings) -> list[Feature]:
    """The Placemarks of a KML file. Raises XmlFault."""
    root = parse(data)
    if root.tag != "kml":
        findings.error(line(root.line), "kml", Said("the file is no KML: its root is <%(root)s>", root=root.tag))
        return []
    return [feature for node in root.walk() if node.tag == "Placemark" for feature in _placemark(node, findings)]


def _placemark(node: Node, findings: Findings) -> Iterator[Feature]:
    name = clean_name(node.child_text("name"))
    where = place(line(node.line), name)
    shape = next((child for child in node.children if child.tag in SHAPES), None)
    if shape is not None:
        properties = canonical(dict(_data(node)))
        kind = clean_name(properties.get("type"))
        yield Feature(where, name, kind, {"type": shape.tag, "coordinates": _coordinates(shape)}, properties)
    elif other := next((child.tag for child in node.children if child.tag in OTHER_SHAPES), None):
        findings.error(where, other, Said("one Point, LineString or Polygon for each Placemark is needed"))
    else:
        findings.warning(where, "Placemark", Said("has no shape, left out"))


def _data(node: Node) -> Iterator[tuple[str, str]]:
    """(name, value) of <Data> and <SimpleData>."""
    extended = node.child("ExtendedData")
    for data in extended.walk() if extended else ():
        if data.tag == "Data":
            yield data.attributes.get("name", ""), data.child_text("value")
        elif data.tag == "SimpleData":
            yield data.attributes.get("name", ""), data.text


def _coordinates(shape: Node) -> list[Any]:
    """As in GeoJSON; what is no number stays text, and is found by the checks."""
    if shape.tag == "Point":
        return next(iter(_points(shape)), [])
    if shape.tag == "LineString":
        return _points(shape)
    outer = [node for node in shape.children if node.tag == "outerBoundaryIs"]
    inner = [node for node in shape.children if node.tag == "innerBoundaryIs"]
    rings = [ring for node in outer + inner for ring in node.children if ring.tag == "LinearRing"]
    return [_points(ring) for ring in rings]


def _points(node: Node) -> list[list[Any]]:
    """From "lon,lat,alt lon,lat,alt"."""
    return [[_degrees(part) for part in point.split(",")] for point in node.child_text("coordinates").split()]


def _degrees(text: str) -> float | str:
    parsed = to_float(text)
    return text if parsed is None else parsed
