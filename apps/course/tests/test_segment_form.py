"""The admin's form of a segment, with as many waypoints as a marathon stage has."""

from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from apps.course.factories import SegmentFactory, WaypointFactory
from tests.forms import sent


def test_a_segment_with_two_hundred_waypoints_can_be_saved(db: None, client: Client) -> None:
    """Its form has more fields than Django takes by itself."""
    segment = SegmentFactory.create()
    WaypointFactory.create_batch(200, segment=segment)
    client.force_login(get_user_model().objects.create_superuser("admin@example.org", "x"))
    page = reverse("admin:course_segment_change", args=[segment.pk])
    fields = sent(client.get(page)) | {"name": ["Renamed"]}
    assert sum(map(len, fields.values())) > 1_000
    assert client.post(page, fields).status_code == 302
    segment.refresh_from_db()
    assert segment.name == "Renamed" and segment.waypoints.count() == 200
