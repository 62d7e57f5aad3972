"""Course files, good and broken, and what is said of them."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.course.domain.importing import Finding, ImportedCourse, read_course
from apps.course.domain.importing.points import TYPES
from apps.course.models import WaypointType

GPX_HEAD = (
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" '
    'xmlns:openrally="http://www.openrally.org/xmlschemas/GpxExtensions/v1.0.3">\n'
)


def wpt(tags: str, name: str = "", lat: object = 41.5, lon: object = 20.1) -> str:
    """One <wpt>, on one line; "wpm open='800'" becomes an OpenRally element."""
    elements = "".join(f"<openrally:{tag}>" if tag.endswith("/") else tag for tag in tags.split("|") if tag)
    return f'<wpt lat="{lat}" lon="{lon}"><name>{name}</name><extensions>{elements}</extensions></wpt>\n'


def gpx(*points: str) -> bytes:
    return (GPX_HEAD + "".join(points) + "</gpx>").encode()


def point(type_: str | None = "WPM", lon: object = 20.1, lat: object = 41.5, **properties: Any) -> dict[str, Any]:
    properties |= {"type": type_} if type_ else {}
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
    }


def shape(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def geojson(*features: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def placemark(shape_xml: str, name: str = "", **data: object) -> str:
    values = "".join(f'<Data name="{key}"><value>{value}</value></Data>' for key, value in data.items())
    return f"<Placemark><name>{name}</name><ExtendedData>{values}</ExtendedData>{shape_xml}</Placemark>\n"


def kml(*placemarks: str) -> bytes:
    head = "<?xml version='1.0' encoding='UTF-8'?>\n<kml xmlns='http://www.opengis.net/kml/2.2'><Document>\n"
    return (head + "".join(placemarks) + "</Document></kml>").encode()


KML_POINT = "<Point><coordinates>20.1,41.5,300</coordinates></Point>"
KML_SQUARE = (
    "<Polygon><outerBoundaryIs><LinearRing><coordinates>20,41,0 20.01,41,0 20.01,41.01,0 20,41,0</coordinates>"
    "</LinearRing></outerBoundaryIs></Polygon>"
)
KML_LINE = "<LineString><coordinates>20,41 20.001,41</coordinates></LineString>"
SQUARE: list[list[list[float]]] = [[[20, 41], [20.01, 41], [20.01, 41.01], [20, 41.01], [20, 41]]]
BOW_TIE = [[[20, 41], [20.01, 41.01], [20.01, 41], [20, 41.01], [20, 41]]]
LINE = [[20, 41], [20.001, 41]]


def errors(findings: list[Finding]) -> list[str]:
    return [str(finding) for finding in findings if finding.severity == "error"]


def read(filename: str, data: bytes) -> ImportedCourse:
    """The course of a file without errors."""
    course, findings = read_course(filename, data)
    assert errors(findings) == []
    return course


def test_types_are_those_of_the_model() -> None:
    assert set(TYPES) == set(WaypointType.values)


@pytest.mark.parametrize(
    ("tag", "type_", "clear_m", "open_m"),
    [
        ("wpv/", "WPV", 200, None),
        ("wpe/", "WPE", 90, 1000),
        ("wpm/", "WPM", 90, 800),
        ("wps/", "WPS", 30, 1000),
        ("wpc/", "WPC", 300, None),
        ("wpn/", "WPN", 200, 800),
        ("wpm open='700' clear='20'/", "WPM", 20, 700),
        ("wps clear='50'/", "WPS", 50, 1000),
        ("wpp clear='60'/", "WPP", 60, None),
        ("checkpoint clear='60'/", "PC", 60, None),
        ("timecontrol clear='40'/", "TC", 40, None),
    ],
)
def test_gpx_radii_are_the_files_own_or_the_rulebooks(
    tag: str, type_: str, clear_m: float, open_m: float | None
) -> None:
    (found,) = read("a.gpx", gpx(wpt(tag))).waypoints
    assert (found.type, found.clear_m, found.open_m) == (type_, clear_m, open_m)


def test_a_gpx_stage_keeps_order_names_and_the_limit_of_its_zone() -> None:
    course = read(
        "stage.GPX",
        gpx(
            wpt("wpe/|dss/", "start"),
            wpt("dz/|<openrally:speed>50</openrally:speed>", "village"),
            wpt("", "a note of the road book"),
            wpt("fz/"),
            wpt("dn clear='50'/"),
            wpt("fn clear='50'/"),
            wpt("ass clear='30'/", "end"),
        ),
    )
    assert [(w.order, w.type, w.clear_m) for w in course.waypoints] == [
        (1, "WPE", 90),
        (2, "DSS", 90),
        (3, "DZ", 90),
        (4, "FZ", 90),
        (5, "DN", 50),
        (6, "FN", 50),
        (7, "ASS", 30),
    ]
    (zone,) = course.zones
    assert (zone.name, zone.limit_kmh, zone.dz_order, zone.fz_order) == ("village", 50, 3, 4)


def test_the_first_drafts_way_to_write_a_limit_is_read() -> None:
    course = read("a.gpx", gpx(wpt("dz/|speed kph='65'/"), wpt("fz/")))
    assert course.zones[0].limit_kmh == 65


def test_geojson_gives_waypoints_fences_gates_and_both_kinds_of_zone() -> None:
    course = read(
        "c.geojson",
        geojson(
            point("DZ", order=7, radius_m=60, speed_limit_kmh=30),
            point("FZ", order=9, radius_m=60),
            point("wpm", order=2, name="WP 1", open_m=500, radius_m=40),
            shape("Polygon", SQUARE, name="Bivouac", type="bivouac"),
            shape("LineString", LINE, name="Finish", type="finish", bearing=90),
            shape("Polygon", SQUARE, name="Village", speed_limit_kmh=50),
        ),
    )
    assert [(w.type, w.order) for w in course.waypoints] == [("WPM", 2), ("DZ", 7), ("FZ", 9)]
    assert [(f.name, f.kind, f.role, f.bearing) for f in course.fences] == [
        ("Bivouac", "bivouac", "", None),
        ("Finish", "gate", "finish", 90),
    ]
    assert [(z.limit_kmh, z.dz_order, z.geometry is None) for z in course.zones] == [(50, None, False), (30, 7, True)]


def test_kml_gives_the_same() -> None:
    course = read(
        "c.kml",
        kml(
            placemark(KML_POINT, "WP 1", type="WPN", radius=150),
            placemark(KML_SQUARE, "Village", limit=40),
            placemark(KML_LINE, "Gate", type="gate", bearing=10),
            placemark(KML_SQUARE, "Service"),
        ),
    )
    (found,) = course.waypoints
    assert (found.name, found.lat, found.lon, found.clear_m) == ("WP 1", 41.5, 20.1, 150)
    assert [f.kind for f in course.fences] == ["gate", "area"]
    assert course.zones[0].limit_kmh == 40


def test_a_dss_needs_no_ass_where_a_gate_is_the_finish() -> None:
    course = read("c.json", geojson(point("DSS", radius_m=30), shape("LineString", LINE, name="F", type="finish")))
    assert course.fences[0].role == "finish"


def test_geometry_is_kept_without_what_a_database_could_not_hold() -> None:
    ring = [[*corner, "\x00"] for corner in SQUARE[0]]
    course = read("c.json", geojson(shape("Polygon", [ring], name="A\x00\ud800 b")))
    assert course.fences[0].geometry == {"type": "Polygon", "coordinates": SQUARE}
    assert course.fences[0].name == "A b"


BOMB = b"""<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><gpx>&b;</gpx>"""
OUTSIDE = b"""<?xml version="1.0"?>\n<!DOCTYPE gpx SYSTEM "file:///etc/passwd"><gpx/>"""
BROKEN = [
    # format and encoding
    ("a.kmz", b"PK\x03\x04", "file: format: KMZ"),
    ("a.kml", b"PK\x03\x04", "file: format: KMZ"),
    ("a.xlsx", b"x", "file: format: the name must end"),
    ("", b"x", "file: format: the name must end"),
    ("a.gpx", b" \n", "file: content: the file is empty"),
    ("a.geojson", b"", "file: content: the file is empty"),
    ("a.gpx", gpx(wpt("wpm/", "\xe9")).decode().encode("latin-1"), "line 3: XML: not valid XML"),
    (
        "a.gpx",
        b"<?xml version='1.0' encoding='klingon'?><gpx/>",
        "line 1: XML: not readable as XML: unknown encoding: klingon",
    ),
    ("a.geojson", b'{\n"name": "\xe9"}', "line 2: encoding: the file is not UTF-8: byte 0xe9"),
    ("a.geojson", b'{"type":\n}', "line 2: JSON: not valid JSON"),
    ("a.geojson", b"[" * 100_000, "JSON"),
    ("a.geojson", b"9" * 5000, "file: JSON: not readable"),
    ("a.gpx", b"<gpx>" * 100, "elements are nested more than"),
    ("a.gpx", BOMB, "document types and entities are refused"),
    ("a.gpx", OUTSIDE, "line 2: XML: document types and entities are refused"),
    ("a.gpx", b"<gpx>\n<wpt>\n</gpx>", "line 3: XML: not valid XML: mismatched tag"),
    ("a.gpx", kml(), "line 2: gpx: the file is no GPX: its root is <kml>"),
    ("a.kml", gpx(), "line 2: kml: the file is no KML: its root is <gpx>"),
    # nothing in it
    ("a.gpx", gpx(), "file: waypoints: there is nothing"),
    ("a.gpx", gpx(wpt("", "note")), "file: wpt: none of the 1 points"),
    ("a.kml", kml(), "file: waypoints: there is nothing"),
    ("a.geojson", geojson(), "file: waypoints: there is nothing"),
    ("a.geojson", b"[]", "file: type: a FeatureCollection"),
    ("a.geojson", b"null", "file: waypoints: there is nothing"),
    ("a.geojson", b'{"type": "FeatureCollection"}', "file: type: a FeatureCollection"),
    # points
    ("a.gpx", gpx(wpt("wpm/", "WP4", lat=91)), "line 3 'WP4': latitude: 91 is not between -90 and 90"),
    ("a.gpx", gpx(wpt("wpm/", lon=181)), "line 3: longitude: 181 is not between"),
    ("a.gpx", gpx(wpt("wpm/", lat="north")), "line 3: coordinates: a latitude and"),
    ("a.gpx", gpx(wpt("wpm/", lat="nan")), "line 3: coordinates: a latitude and"),
    ("a.gpx", gpx(wpt("wpp/")), "line 3: radius_m: is missing, and WPP has no radius"),
    ("a.gpx", gpx(wpt("ass/")), "radius_m: is missing, and ASS has no radius"),
    ("a.gpx", gpx(wpt("wpm clear='0'/")), "radius_m: 0 is not from 1"),
    ("a.gpx", gpx(wpt("wpm clear='-5'/")), "radius_m: -5 is not from 1"),
    ("a.gpx", gpx(wpt("wpm clear='wide'/")), "radius_m: 'wide' is not a number"),
    ("a.gpx", gpx(wpt("wpm open='0'/")), "open_m: 0 is not from 1"),
    ("a.gpx", gpx(wpt("wpx/"), wpt("wpm/")), "line 3: wpx: no waypoint type"),
    ("a.gpx", gpx(wpt("dz/|speed kph='50'/")), "this DZ has no FZ"),
    ("a.gpx", gpx(wpt("fz/")), "this FZ has no DZ"),
    ("a.gpx", gpx(wpt("dz/|speed kph='50'/"), wpt("dz/|speed kph='50'/"), wpt("fz/")), "line 3: type: this DZ has no"),
    ("a.gpx", gpx(wpt("dz/"), wpt("fz/")), "line 3: speed_limit_kmh: this DZ has no limit"),
    ("a.gpx", gpx(wpt("dz/|speed kph='fast'/"), wpt("fz/")), "speed_limit_kmh: 'fast' is not a number"),
    ("a.gpx", gpx(wpt("dn clear='50'/")), "this DN has no FN"),
    ("a.gpx", gpx(wpt("dss clear='50'/")), "this DSS has no ASS"),
    ("a.gpx", gpx(wpt("ass clear='50'/")), "this ASS has no DSS"),
    ("a.gpx", gpx(wpt("wpm/", "n" * 101)), "name: is longer than 100"),
    (
        "a.geojson",
        geojson(point(order=1), point(order=1, name="B")),
        "feature 2 'B': order: 1 is the order of feature 1",
    ),
    ("a.geojson", geojson(point(order=1.5)), "order: 1.5 is not a whole number"),
    ("a.geojson", geojson(point(order=2**31)), "order: 2.14748e+09 is not a whole number"),
    ("a.geojson", geojson(point("WPX")), "type: 'WPX' is none of"),
    ("a.geojson", geojson(point(None, name="Bridge")), "feature 1 'Bridge': type: is missing"),
    ("a.geojson", geojson(point(lon=None)), "coordinates: a latitude"),
    ("a.geojson", geojson(point(radius_m=True)), "radius_m: True is not a number"),
    ("a.geojson", geojson(point(radius_m=10**400)), "is not a number"),
    # shapes
    ("a.geojson", geojson(point(), shape("Polygon", BOW_TIE, name="A")), "feature 2 'A': geometry: the polygon is not"),
    ("a.geojson", geojson(shape("Polygon", [], name="A")), "geometry: a polygon needs an outer ring"),
    ("a.geojson", geojson(shape("Polygon", SQUARE)), "feature 1: name: is missing"),
    ("a.geojson", geojson(shape("Polygon", SQUARE, name="A", type="lake")), "type: 'lake' is none of"),
    ("a.geojson", geojson(shape("LineString", LINE, name="A", type="lake")), "type: 'lake' is none of gate"),
    ("a.geojson", geojson(shape("LineString", [*LINE, [21, 41]], name="A", type="gate")), "has two points, not 3"),
    ("a.geojson", geojson(shape("LineString", LINE, name="A", bearing=400)), "a bearing is from 0 to 360"),
    ("a.geojson", geojson(shape("LineString", LINE, speed_limit_kmh=30)), "a speed zone is a Polygon"),
    ("a.geojson", geojson(shape("Polygon", SQUARE, type="speed-zone")), "speed_limit_kmh: is missing"),
    ("a.geojson", geojson(shape("Polygon", SQUARE, speed_limit_kmh=0)), "speed_limit_kmh: 0 is not from 1"),
    ("a.geojson", geojson(*[shape("Polygon", SQUARE, name="A")] * 2), "feature 2 'A': name: 'A' is given by feature 1"),
    ("a.geojson", geojson(shape("MultiPolygon", [SQUARE])), "geometry: Point, Polygon or LineString, not 'MultiPol"),
    ("a.geojson", geojson(shape("Polygon", [{}])), "geometry: points: a list is needed"),
    ("a.geojson", geojson({"type": "Feature", "geometry": None}), "feature 1: geometry: is missing"),
    ("a.geojson", geojson(17), "feature 1: type: is no Feature"),
    ("a.kml", kml(placemark("<MultiGeometry/>", "M")), "line 3 'M': MultiGeometry: one Point"),
    ("a.kml", kml(placemark("<Point><coordinates>20</coordinates></Point>", type="WPM")), "coordinates: a latitude"),
    ("a.kml", kml(placemark("<Point/>", type="WPM")), "coordinates: a latitude"),
    ("a.kml", kml(placemark("<Polygon/>", "P")), "geometry: a polygon needs an outer ring"),
]


@pytest.mark.parametrize(("filename", "data", "said"), BROKEN)
def test_a_broken_file_says_where_and_why(filename: str, data: bytes, said: str) -> None:
    _, findings = read_course(filename, data)
    assert any(said in line for line in errors(findings)), findings


FAR_POINTS = [point(lat=41 + n / 100) for n in range(4)]
WARNED = [
    ("a.gpx", gpx(wpt("dz/|speed kph='50'/"), wpt("fz/")), "line 3: radius_m: no radius given: 90 m taken"),
    ("a.gpx", gpx(wpt("wpm/|stop/")), "line 3: stop: left out"),
    ("a.gpx", gpx(wpt("wpm/|fuel/")), "line 3: fuel: unknown tag, left out"),
    ("a.gpx", gpx(wpt("wpm/|speed kph='110'/", "W")), "line 3 'W': speed: only a dz point begins a zone"),
    ("a.geojson", geojson(point(speed_limit_kmh=50)), "feature 1: speed_limit_kmh: only a DZ"),
    (
        "a.geojson",
        geojson(*FAR_POINTS, point(lon=41.5, lat=20.1)),
        "feature 5: coordinates: latitude and longitude seem",
    ),
    ("a.geojson", geojson(point(lon=41.5, lat=120)), "feature 1: coordinates: latitude and longitude seem"),
    ("a.geojson", geojson(point(), shape("LineString", [*LINE, [21, 41]])), "a line of 3 points is no gate, left out"),
    ("a.geojson", geojson(shape("Polygon", SQUARE, name="A")), "file: waypoints: there are none"),
    ("a.kml", kml(placemark(KML_POINT, "WPM 12")), "line 3 'WPM 12': type: not given: WPM taken from the name"),
    ("a.kml", kml(placemark(KML_POINT, "WPM 12"), placemark("", "note")), "line 4 'note': Placemark: has no shape"),
]


@pytest.mark.parametrize(("filename", "data", "said"), WARNED)
def test_what_is_doubtful_is_said(filename: str, data: bytes, said: str) -> None:
    _, findings = read_course(filename, data)
    assert any(said in str(finding) for finding in findings if finding.severity == "warning"), findings


def test_faults_are_told_in_the_order_of_the_file() -> None:
    features = [point("DZ", radius_m=50, name="Z"), point(order="x"), shape("Polygon", BOW_TIE, name="A"), point("WPX")]
    _, findings = read_course("a.json", geojson(*features))
    assert [finding.place for finding in findings] == ["feature 1 'Z'", "feature 2", "feature 3 'A'", "feature 4"]


def test_imperial_units_are_refused_for_their_limits_are_in_miles() -> None:
    units = "<metadata><extensions><openrally:units>imperial</openrally:units></extensions></metadata>\n"
    _, findings = read_course("a.gpx", gpx(units, wpt("wpm/")))
    assert errors(findings) == ["error: line 3: units: metric units are needed, not 'imperial'"]


def test_utf_16_is_read_as_its_first_line_says() -> None:
    text = gpx(wpt("wpm/", "Përmet")).decode().replace("UTF-8", "UTF-16")
    assert read("a.gpx", text.encode("utf-16")).waypoints[0].name == "Përmet"


GOOD = [
    ("a.gpx", gpx(wpt("wpe/|dss/"), wpt("dz/|speed kph='50'/"), wpt("fz/"), wpt("ass clear='30'/"))),
    ("a.kml", kml(placemark(KML_POINT, "WPM 1", radius=50), placemark(KML_SQUARE, "V", limit=40))),
    ("a.geojson", geojson(point(order=3, radius_m=60), shape("LineString", LINE, name="G", bearing=90))),
]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(st.sampled_from(["a.gpx", "a.kml", "a.geojson", "a.kmz", ""]), st.binary(max_size=300))
def test_random_bytes_give_findings_and_never_raise(filename: str, data: bytes) -> None:
    _, findings = read_course(filename, data)
    assert errors(findings)


@quick
@given(st.sampled_from(GOOD), st.data())
def test_a_mutated_file_never_raises(good: tuple[str, bytes], data: st.DataObject) -> None:
    filename, content = good
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        cut = data.draw(st.integers(0, 6))
        content = content[:at] + data.draw(st.binary(max_size=4)) + content[at + cut :] or b" "
    read_course(filename, content)


@quick
@given(
    st.sampled_from(["Point", "Polygon", "LineString", "Circle"]),
    JSON_VALUES,
    st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES) | JSON_VALUES, "order": JSON_VALUES, "radius_m": JSON_VALUES}
    ),
    JSON_VALUES,
)
def test_any_json_in_any_place_never_raises(kind: str, coordinates: Any, properties: dict[str, Any], more: Any) -> None:
    properties |= {"speed_limit_kmh": more, "bearing": more, "name": more}
    features = [shape(kind, coordinates, **properties), shape(kind, [more, more], name="A"), more]
    _, findings = read_course("a.json", geojson(*features))
    assert errors(findings)
