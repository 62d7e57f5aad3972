"""GPX with the OpenRally extension (rulebook §1.2). Waypoints come in the order of the file.

A point may carry several tags: `<wpe/><dss/>` gives two waypoints at one place, and the one whose type has no
radius of its own takes the other's. Points without any OpenRally tag are road-book notes and no waypoints.
"""

from collections.abc import Iterator

from apps.common.said import Said
from apps.course.domain.importing.features import Feature, clean_name, to_float
from apps.course.domain.importing.findings import FILE, Findings, line, place
from apps.course.domain.importing.radii import RADII
from apps.course.domain.importing.xml import Node, parse

TAGS = {
    **{code.lower(): code for code in ("WPV", "WPE", "WPM", "WPS", "WPC", "WPN", "WPP")},
    **{code.lower(): code for code in ("DZ", "FZ", "DN", "FN", "DSS", "ASS")},
    "checkpoint": "PC",
    "passagecontrol": "PC",
    "timecontrol": "TC",
    "waypointmasked": "WPM",
    "waypointeclipse": "WPE",
    "waypointsafety": "WPS",
}
# Said to be left out: an organiser could believe that TRM times them.
LEFT_OUT = {
    "dt": Said("left out: a transfer's begin is not timed: make a liaison segment of it"),
    "ft": Said("left out: a transfer's end is not timed: make a liaison segment of it"),
    "stop": Said("left out: a stop point takes no time: the finish is the ass point"),
    "neutralization": Said("left out: give the neutralised seconds on the segment, or a dn and an fn point"),
}
# For drawing the road book only.
DRAWN = {"distance", "tulip", "notes", "cap", "capheading", "danger", "reset", "resettozero", "show_coordinates", "gps"}


def read_gpx(data: bytes, findings: Findings) -> list[Feature]:
    """The tagged points of a GPX file. Raises XmlFault."""
    root = parse(data)
    if root.tag != "gpx":
        findings.error(line(root.line), "gpx", Said("the file is no GPX: its root is <%(root)s>", root=root.tag))
        return []
    _check_units(root, findings)
    points = [node for node in root.children if node.tag == "wpt"]
    features = [feature for node in points for feature in _point(node, findings)]
    if points and not features:
        text = Said("none of the %(count)s points has an OpenRally tag of a waypoint", count=len(points))
        findings.error(FILE, "wpt", text)
    return features


def _check_units(root: Node, findings: Findings) -> None:
    metadata = root.child("metadata")
    for node in _tags(metadata) if metadata else ():
        if node.tag == "units" and node.text.lower() != "metric":
            text = Said("metric units are needed, not %(given)s", given=repr(node.text)[:40])
            findings.error(line(node.line), "units", text)


def _point(node: Node, findings: Findings) -> Iterator[Feature]:
    """One feature for each waypoint tag of a <wpt>."""
    name = clean_name(node.child_text("name"))
    where = place(line(node.line), name)
    tags = list(_tags(node))
    types = [tag for tag in tags if tag.tag in TAGS]
    limit = _speed(tags)
    for tag in tags:
        _remark(tag, name, findings)
    if limit is not None and not any(tag.tag == "dz" for tag in types):
        findings.warning(where, "speed", Said("only a dz point begins a zone: this limit is left out"))
    geometry = {"type": "Point", "coordinates": [_degrees(node, "lon"), _degrees(node, "lat")]}
    for tag in types:
        properties = {"radius_m": _radius(tag, types), "open_m": tag.attributes.get("open")}
        if tag.tag == "dz":
            properties["speed_limit_kmh"] = limit
        given = {key: value for key, value in properties.items() if value is not None}
        yield Feature(where, name, TAGS[tag.tag], geometry, given)


def _tags(node: Node) -> Iterator[Node]:
    """The OpenRally elements of a point; the namespace has a version in it, so any will do."""
    for extensions in node.children:
        if extensions.tag == "extensions":
            yield from (tag for tag in extensions.children if "openrally" in tag.space.lower())


def _remark(tag: Node, name: str, findings: Findings) -> None:
    where = place(line(tag.line), name)
    if tag.tag in LEFT_OUT:
        findings.warning(where, tag.tag, LEFT_OUT[tag.tag])
    elif tag.tag.startswith("wp") and tag.tag not in TAGS:
        findings.error(where, tag.tag, Said("no waypoint type that TRM knows"))
    elif tag.tag not in TAGS and tag.tag not in DRAWN | {"speed"}:
        findings.warning(where, tag.tag, Said("unknown tag, left out"))


def _speed(tags: list[Node]) -> str | None:
    """The limit in km/h: the element's text, or in the format's first draft its attribute `kph`."""
    tag = next((tag for tag in tags if tag.tag == "speed"), None)
    return None if tag is None else tag.text or tag.attributes.get("kph", "nothing")


def _radius(tag: Node, siblings: list[Node]) -> str | float | None:
    """The tag's own `clear`; a type without a default takes that of another tag on the same point."""
    if "clear" in tag.attributes or TAGS[tag.tag] in RADII:
        return tag.attributes.get("clear")
    for sibling in siblings:
        if "clear" in sibling.attributes:
            return sibling.attributes["clear"]
    return next((RADII[TAGS[s.tag]].clear_m for s in siblings if TAGS[s.tag] in RADII), None)


def _degrees(node: Node, name: str) -> float | str:
    text = node.attributes.get(name, "")
    parsed = to_float(text)
    return text if parsed is None else parsed
