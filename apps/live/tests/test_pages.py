"""What pages and their data say to whom: nothing of a course, a track or a time before it is due."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import User
from apps.course.models import Stage
from apps.events.factories import EntryCrewFactory
from apps.live.models import Acknowledgement
from apps.live.tests import scenes
from apps.live.tests.scenes import Scene
from apps.scoring.models import StageResult

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


def an_official(scene: Scene) -> User:
    user: User = UserFactory.create()
    OrganizationUserFactory.create(organization=scene.board.event.organization, user=user, role="race-director")
    return user


def course_kinds(client: Client, scene: Scene) -> list[tuple[str, str]]:
    features = client.get(scene.address("course.json")).json()["features"]
    return sorted((one["properties"]["kind"], one["properties"].get("name", "")) for one in features)


def details(client: Client, scene: Scene) -> Any:
    return client.get(f"{scene.address('details.json')}?stage={scene.stage.sort_order}").json()


class TestCourse:
    def test_the_public_sees_no_waypoint_of_a_stage_that_runs(self, client: Client) -> None:
        shown = course_kinds(client, scenes.stage())
        assert shown == [("area", "Bivouac"), ("waypoint", "Finish"), ("waypoint", "Start"), ("zone", "")]

    def test_the_public_sees_nothing_of_a_stage_to_come(self, client: Client) -> None:
        scene = scenes.stage()
        Stage.objects.filter(id=scene.stage.id).update(starts_at=timezone.now() + timedelta(minutes=5))
        assert course_kinds(client, scene) == []

    def test_who_may_see_the_controls_sees_all(self, client: Client) -> None:
        scene = scenes.stage()
        Stage.objects.filter(id=scene.stage.id).update(starts_at=timezone.now() + timedelta(minutes=5))
        client.force_login(an_official(scene))
        shown = course_kinds(client, scene)
        assert ("waypoint", "WP 3") in shown and ("leg", "SS 1") in shown

    def test_a_stage_that_is_over_is_shown_whole(self, client: Client) -> None:
        shown = course_kinds(client, scenes.stage(days_ago=1.5))
        assert ("waypoint", "WP 2") in shown and ("leg", "SS 1") in shown

    def test_a_stage_is_over_once_every_result_is_settled(self, client: Client) -> None:
        scene = scenes.stage()
        StageResult.objects.filter(stage=scene.stage).update(status="dnf", updated_at=timezone.now())
        assert ("waypoint", "WP 2") in course_kinds(client, scene)

    def test_over_comes_as_late_as_the_audience_is(self, client: Client) -> None:
        scene = scenes.stage()
        scene.board.event.public_delay_seconds = 600
        scene.board.event.save()
        StageResult.objects.filter(stage=scene.stage).update(status="dnf", updated_at=timezone.now())
        assert ("waypoint", "WP 2") not in course_kinds(client, scene)


class TestDetails:
    def test_splits_at_every_control(self, client: Client) -> None:
        scene = scenes.stage()
        found = details(client, scene)
        assert [one["name"] for one in found["controls"]] == ["WP 1", "WP 2", "WP 3", "Finish"]
        entries = found["entries"]
        assert entries[str(scene.board.entries[0].id)]["splits"] == [150_000, 300_000, 450_000, 600_000]
        assert entries[str(scene.board.entries[-1].id)]["splits"][2:] == [None, None]

    def test_penalties_say_that_they_are_pending(self, client: Client) -> None:
        scene = scenes.stage()
        (penalty,) = details(client, scene)["entries"][str(scene.board.entries[1].id)]["penalties"]
        assert (penalty["ms"], penalty["pending"], penalty["article"]) == (60_000, True, "12.3")

    def test_the_public_sees_them_as_late_as_the_board(self, client: Client) -> None:
        """The first crew finished long ago; the one under way passed its controls within the delay."""
        scene = scenes.stage()
        scene.board.event.public_delay_seconds = 1800
        scene.board.event.save()
        entries = details(client, scene)["entries"]
        assert entries[str(scene.board.entries[0].id)]["splits"][0] == 150_000
        late = entries[str(scene.board.entries[-1].id)]
        assert late["splits"] == [None] * 4 and "seen" not in late

    def test_a_crew_sees_nothing_of_others_under_way(self, client: Client) -> None:
        scene = scenes.stage()
        user = UserFactory.create()
        OrganizationUserFactory.create(organization=scene.board.event.organization, user=user, role="participant")
        EntryCrewFactory.create(entry=scene.board.entries[0], user=user)
        client.force_login(user)
        entries = details(client, scene)["entries"]
        assert str(scene.board.entries[0].id) in entries
        assert str(scene.board.entries[-1].id) not in entries


class TestTrails:
    """The way of the last five minutes, as late as positions are shown; the last crew drives until now."""

    def trails(self, client: Client, scene: Scene) -> Any:
        return client.get(scene.address("trails.json")).json()["entries"]

    def test_who_drives_comes_from_somewhere(self, client: Client) -> None:
        scene = scenes.stage()
        found = self.trails(client, scene)
        assert set(found) == {str(scene.board.entries[-1].id)}
        (track,) = found.values()
        assert len(track["t"]) == len(track["lat"]) > 5 and sum(track["t"]) <= 3000

    def test_the_public_is_as_late_as_on_the_map(self, client: Client) -> None:
        scene = scenes.stage()
        scene.board.event.public_delay_seconds = 1800
        scene.board.event.save()
        assert self.trails(client, scene) == {}
        cache.clear()
        client.force_login(an_official(scene))
        assert len(self.trails(client, scene)) == 1

    def test_a_crew_sees_no_way_of_others_inside_its_stage(self, client: Client) -> None:
        scene = scenes.stage()
        user = UserFactory.create()
        OrganizationUserFactory.create(organization=scene.board.event.organization, user=user, role="participant")
        EntryCrewFactory.create(entry=scene.board.entries[0], user=user)
        client.force_login(user)
        assert self.trails(client, scene) == {}


class TestDoors:
    PAGES = ("", "map/", "replay/", "screen/", "course.json", "details.json", "trails.json")

    def test_a_private_event_has_no_pages_for_others(self, client: Client) -> None:
        scene = scenes.stage(public=False)
        for page in (*self.PAGES, "embed/board/", "embed/map/", "tracks.json?stage=0", "control/"):
            assert client.get(scene.address(page)).status_code == 404, page
        client.force_login(an_official(scene))
        for page in (*self.PAGES, "control/"):
            assert client.get(scene.address(page)).status_code == 200, page
        assert client.get(scene.address("embed/board/")).status_code == 404  # a widget is for the public

    def test_race_control_is_for_officials(self, client: Client) -> None:
        scene = scenes.stage()
        assert client.get(scene.address("control/")).status_code == 404
        assert "control/" not in client.get(scene.address()).content.decode()
        client.force_login(an_official(scene))
        page = client.get(scene.address("control/")).content.decode()
        assert f'data-topic="race-control:{scene.board.event.id}"' in page

    def test_an_alarm_is_acknowledged_by_officials(self, client: Client) -> None:
        scene = scenes.stage()
        entry = scene.board.entries[0]
        address, seen = scene.address("control/acknowledge"), {"entry": str(entry.id), "alarm": "1780732800000"}
        assert client.post(address, seen).status_code == 403
        client.force_login(an_official(scene))
        for wrong in ({}, seen | {"alarm": "soon"}, seen | {"alarm": "9" * 30}, seen | {"entry": "x"}):
            assert client.post(address, wrong).status_code == 400, wrong
        assert client.post(address, seen | {"entry": str(uuid4())}).status_code == 404
        assert client.post(address, seen).status_code == 204
        assert Acknowledgement.objects.get().alarm_ts == 1780732800000

    def test_no_such_event(self, client: Client) -> None:
        assert client.get(f"/live/none/{uuid4()}/map/").status_code == 404


class TestFrames:
    def test_only_widgets_may_be_framed_and_only_where_allowed(self, client: Client, settings: Any) -> None:
        scene = scenes.stage()
        for page in ("embed/board/", "embed/map/", "map/", "", "screen/"):
            policy = client.get(scene.address(page)).headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy, page
        settings.LIVE_EMBED_ORIGINS = ["https://club.example"]
        for page in ("embed/board/", "embed/map/"):
            answer = client.get(scene.address(page))
            assert "frame-ancestors https://club.example" in answer.headers["Content-Security-Policy"]
            assert "X-Frame-Options" not in answer.headers
        assert client.get(scene.address("map/")).headers["X-Frame-Options"] == "DENY"

    def test_a_map_runs_no_script_but_ours(self, client: Client) -> None:
        policy = client.get(scenes.stage().address("map/")).headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "worker-src 'self'" in policy


class TestBasemap:
    def test_ranges(self, client: Client, settings: Any, tmp_path: Any) -> None:
        assert client.get("/live/basemap.pmtiles").status_code == 404
        (tmp_path / "albania.pmtiles").write_bytes(bytes(range(100)))
        settings.LIVE_BASEMAP_DIR = str(tmp_path)
        part = client.get("/live/basemap.pmtiles", headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
        assert part.headers["Content-Range"] == "bytes 10-19/100"
        assert client.get("/live/basemap.pmtiles", headers={"Range": "bytes=90-200"}).content == bytes(range(90, 100))
        for wrong in ("bytes=100-101", "bytes=-5", "lines=1-2", "bytes=0-1,5-6"):
            assert client.get("/live/basemap.pmtiles", headers={"Range": wrong}).status_code == 416, wrong
