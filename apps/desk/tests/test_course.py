"""The map editor's door: a shape is written whole, checked, audited, and never over somebody else's."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from apps.audit.models import AuditEntry
from apps.course.factories import GeofenceFactory, SpeedLimitZoneFactory
from apps.course.models import Geofence, SpeedLimitZone, Waypoint
from apps.desk.tests import office as offices
from apps.desk.tests.office import Office, signed_in

pytestmark = pytest.mark.django_db

CORNERS = [[20.0, 41.0], [20.01, 41.0], [20.01, 41.01]]


@pytest.fixture
def office() -> Office:
    return offices.build(1)


@pytest.fixture
def client(office: Office) -> Client:
    return signed_in(office, "race-director")


def shapes(office: Office, client: Client) -> dict[str, Any]:
    page = client.get(office.page("course"))
    assert "worker-src 'self'" in page.headers["Content-Security-Policy"]
    return {shape["label"]: shape for shape in page.context["data"]["shapes"]}


def save(office: Office, client: Client, shape: dict[str, Any], **more: Any) -> HttpResponse:
    body = json.dumps({"shape": shape, "reason": "bulletin 3", **more})
    return client.post(office.page("course_save"), body, content_type="application/json")  # type: ignore[return-value]


def test_a_zone_is_drawn_closed_and_audited(office: Office, client: Client) -> None:
    shape = {"kind": "zone", "shape": "polygon", "name": "Burrel", "coordinates": CORNERS, "limit": 50}
    answer = save(office, client, shape | {"segment": str(office.segment.pk)})
    assert answer.status_code == 200
    zone = SpeedLimitZone.objects.get()
    assert zone.geometry == {"type": "Polygon", "coordinates": [[*CORNERS, CORNERS[0]]]}
    assert (zone.segment, zone.speed_limit_kmh) == (office.segment, 50)
    assert AuditEntry.objects.filter(table="speed_limit_zones", reason="bulletin 3", action="insert").exists()


def test_a_gate_and_a_waypoint_are_drawn(office: Office, client: Client) -> None:
    gate = {"kind": "geofence", "shape": "line", "name": "Start", "coordinates": CORNERS[:2], "bearing": 90}
    assert save(office, client, gate).status_code == 200
    assert Geofence.objects.get().kind == "gate"
    point = {
        "kind": "waypoint",
        "shape": "point",
        "name": "WPM 2",
        "type": "WPM",
        "radius": 90,
        "coordinates": [[20.0, 41.0]],
    }
    assert save(office, client, point | {"segment": str(office.segment.pk)}).status_code == 200
    made = Waypoint.objects.get(name="WPM 2")
    assert (made.latitude, made.longitude, made.tolerance_meters) == (41.0, 20.0, 90)
    assert made.sort_order > max(waypoint.sort_order for waypoint in office.controls)


def test_what_was_driven_is_told_before_a_control_is_moved(office: Office, client: Client) -> None:
    shape = shapes(office, client)["ASS"] | {"coordinates": [[20.5, 41.5]]}
    asked = save(office, client, shape)
    assert asked.status_code == 409
    assert "1 crossings" in json.loads(asked.content)["confirm"]
    assert Waypoint.objects.get(name="ASS").latitude != 41.5
    assert save(office, client, shape, sure=True).status_code == 200
    assert Waypoint.objects.get(name="ASS").latitude == 41.5


def test_a_shape_somebody_else_saved_meanwhile_is_not_overwritten(office: Office, client: Client) -> None:
    shape = shapes(office, client)["WPM"]
    Waypoint.objects.get(name="WPM").save()
    answer = save(office, client, shape | {"radius": 5}, sure=True)
    assert answer.status_code == 409
    assert "Somebody else" in json.loads(answer.content)["errors"][""]
    assert Waypoint.objects.get(name="WPM").tolerance_meters != 5


def test_the_holes_of_an_area_stay(office: Office, client: Client) -> None:
    hole = [[20.002, 41.001], [20.004, 41.001], [20.004, 41.002], [20.002, 41.001]]
    ring = [[20.0, 41.0], [20.01, 41.0], [20.01, 41.01], [20.0, 41.0]]
    fence = GeofenceFactory(event=office.event, geometry={"type": "Polygon", "coordinates": [ring, hole]})
    shape = shapes(office, client)[fence.name]
    shape["coordinates"][0] = [19.99, 40.99]
    assert save(office, client, shape, sure=True).status_code == 200
    fence.refresh_from_db()
    assert fence.geometry["coordinates"][0][0] == [19.99, 40.99]
    assert fence.geometry["coordinates"][1] == hole


def test_a_zone_between_two_waypoints_keeps_them(office: Office, client: Client) -> None:
    zone = SpeedLimitZoneFactory(
        segment=office.segment, name="DZ", geometry=None, dz_waypoint=office.controls[0], fz_waypoint=office.controls[1]
    )
    assert save(office, client, shapes(office, client)["DZ"] | {"limit": 40}, sure=True).status_code == 200
    zone.refresh_from_db()
    assert (zone.speed_limit_kmh, zone.geometry, zone.dz_waypoint) == (40, None, office.controls[0])


@pytest.mark.parametrize(
    ("shape", "field"),
    [
        ({"kind": "zone", "shape": "polygon", "coordinates": CORNERS[:2], "limit": 50}, "coordinates"),
        ({"kind": "zone", "shape": "polygon", "coordinates": [[200, 41], *CORNERS], "limit": 50}, "coordinates"),
        ({"kind": "zone", "shape": "polygon", "coordinates": "here", "limit": 50}, "coordinates"),
        ({"kind": "zone", "shape": "polygon", "coordinates": CORNERS, "limit": 0}, "speed_limit_kmh"),
        ({"kind": "zone", "shape": "polygon", "coordinates": CORNERS, "limit": "fast"}, "limit"),
        ({"kind": "zone", "shape": "polygon", "coordinates": CORNERS, "limit": 50, "segment": ""}, "segment"),
        ({"kind": "geofence", "shape": "line", "name": "G", "coordinates": CORNERS}, "coordinates"),
        ({"kind": "geofence", "shape": "polygon", "name": "", "coordinates": CORNERS}, "name"),
        ({"kind": "waypoint", "type": "XXX", "radius": 90, "coordinates": [[20, 41]]}, "type"),
        ({"kind": "road"}, "kind"),
    ],
)
def test_what_cannot_be_is_refused_naming_the_field(
    office: Office, client: Client, shape: dict[str, Any], field: str
) -> None:
    answer = save(office, client, {"segment": str(office.segment.pk)} | shape)
    assert answer.status_code == 400
    assert field in json.loads(answer.content)["errors"]
    assert not SpeedLimitZone.objects.exists() and not Geofence.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "null", '{"shape": 3}', "{}"])
def test_what_is_no_shape_is_refused(office: Office, client: Client, body: str) -> None:
    answer = client.post(office.page("course_save"), body, content_type="application/json")
    assert answer.status_code == 400


def test_a_timekeeper_looks_and_does_not_draw(office: Office) -> None:
    timekeeper = signed_in(office, "timekeeper")
    shape = shapes(office, timekeeper)["WPM"]
    assert save(office, timekeeper, shape | {"radius": 5}, sure=True).status_code == 403
    assert Waypoint.objects.get(name="WPM").tolerance_meters != 5


def test_a_shape_of_another_event_is_out_of_reach(office: Office, client: Client) -> None:
    other = offices.build(1)
    theirs = shapes(other, signed_in(other, "race-director"))["WPM"]
    answer = save(office, client, theirs | {"segment": str(office.segment.pk)}, sure=True)
    assert answer.status_code == 400


def gpx(lats: list[float]) -> bytes:
    points = "".join(
        f'<trkpt lat="{lat:.6f}" lon="20.0"><time>2026-06-06T08:{n // 60:02d}:{n % 60:02d}Z</time></trkpt>'
        for n, lat in enumerate(lats)
    )
    return f'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>'.encode()


def prove(office: Office, client: Client, content: bytes) -> HttpResponse:
    upload = SimpleUploadedFile("recce.gpx", content)
    return client.post(office.page("course_track"), {"track": upload})  # type: ignore[return-value]


def test_a_track_proves_the_course(office: Office, client: Client) -> None:
    """It drives past the WPM: that is told, with the time of the special stage."""
    Waypoint.objects.filter(segment=office.segment).update(longitude=20.0, tolerance_meters=90)
    Waypoint.objects.filter(name="WPM").update(longitude=20.01)
    answer = prove(office, client, gpx([40.99 + n / 5000 for n in range(200)]))
    assert answer.status_code == 200
    told = json.loads(answer.content)
    assert "1 waypoint was missed" in told["html"]
    assert "DSS – ASS" in told["html"]
    assert len(told["line"]) == 200


@pytest.mark.parametrize("content", [b"", b"hello", b"<kml/>", gpx([])])
def test_a_file_that_is_no_track_is_refused_by_its_name(office: Office, client: Client, content: bytes) -> None:
    answer = prove(office, client, content)
    assert answer.status_code == 400
    assert "track" in json.loads(answer.content)["errors"]


def test_no_file_at_all(office: Office, client: Client) -> None:
    assert client.post(office.page("course_track")).status_code == 400
    assert Path("track.gpx").exists() is False
