"""What can be replayed by whom, and what a replay is made of."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from apps.course.models import Stage
from apps.events.models import Event
from apps.live.tests import scenes
from apps.live.tests.scenes import MINUTE, Scene
from apps.live.tests.test_pages import an_official

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


def replayed(client: Client, scene: Scene, query: str = "") -> tuple[list[str], list[dict[str, Any]]]:
    """The names of the tabs, and the parts that are played."""
    text = client.get(f"{scene.address('replay/')}{query}").content.decode()
    [tabs] = re.findall(r'<nav class="tabs".*?</nav>', text, re.DOTALL)
    [parts] = re.findall(r'<script id="parts" type="application/json">(.*?)</script>', text)
    return re.findall(r">([^<]+)</a>", tabs), json.loads(parts)


def over(scene: Scene) -> None:
    Event.objects.filter(id=scene.board.event.id).update(ends_at=timezone.now() - timedelta(minutes=1))


def test_not_before_the_stage_is_over(client: Client) -> None:
    scene = scenes.stage()
    address = f"{scene.address('tracks.json')}?stage={scene.stage.sort_order}"
    assert client.get(address).status_code == 404
    assert "when it is over" in client.get(scene.address("replay/")).content.decode()
    client.force_login(an_official(scene))
    assert client.get(address).status_code == 200


def test_a_track_unpacks_to_the_fixes(client: Client) -> None:
    scene = scenes.stage(days_ago=1.5)
    found = client.get(f"{scene.address('tracks.json')}?stage={scene.stage.sort_order}").json()
    track = found["entries"][str(scene.board.entries[0].id)]
    assert track["t0"] == track["start"] == scene.start
    assert track["finish"] - track["start"] == 600_000
    assert sum(track["t"]) == 6000  # the last fix after ten minutes, in tenths
    assert abs(sum(track["lat"]) / 1e5 - scenes.point(1)[0]) < 2e-5


def test_a_stage_is_played_from_the_first_start_to_the_last_finish(client: Client) -> None:
    """Not to the end of its window the next morning; the crew that never finished makes it no longer."""
    scene = scenes.stage(days_ago=1.5)
    tabs, [part] = replayed(client, scene)
    assert tabs == ["Prologue"]
    assert (part["name"], part["low"]) == ("Prologue", scene.start)
    assert part["high"] - part["low"] == (4 + 14) * MINUTE + MINUTE
    assert part["longest"] == 14 * MINUTE


def test_stages_are_played_one_after_the_other(client: Client) -> None:
    scene = scenes.stage(days_ago=1.5)
    scenes.second_stage(scene)
    over(scene)
    tabs, parts = replayed(client, scene, "?stage=all")
    assert tabs == ["All stages", "Prologue", "Stage 1"]
    assert [part["name"] for part in parts] == ["Prologue", "Stage 1"]
    assert all(client.get(part["tracks"]).json()["entries"] for part in parts)
    assert [part["name"] for part in replayed(client, scene)[1]] == ["Stage 1"]  # the last one, unasked


def test_a_leg_is_played_by_itself(client: Client) -> None:
    scene = scenes.stage(days_ago=1.5)
    third = Stage.objects.create(event=scene.board.event, name="Stage 2", sort_order=99, starts_at=timezone.now())
    Stage.objects.filter(event=scene.board.event).exclude(id=third.id).update(leg=1)
    client.force_login(an_official(scene))
    tabs, parts = replayed(client, scene, "?leg=1")
    assert tabs == ["All stages", "Leg 1", "Prologue", "Stage 1", "Stage 2"]
    assert [part["name"] for part in parts] == ["Prologue", "Stage 1"]


def test_all_is_what_this_visitor_may_see(client: Client) -> None:
    """Stage 1 runs: it is not among all stages of the public, nor an address of its own."""
    scene = scenes.stage(days_ago=1.5)
    second = scenes.second_stage(scene)
    assert [part["name"] for part in replayed(client, scene, "?stage=all")[1]] == ["Prologue"]
    for query in (f"?stage={second.stage.sort_order}", "?leg=7"):
        assert client.get(f"{scene.address('replay/')}{query}").status_code == 404, query
    client.force_login(an_official(scene))
    assert len(replayed(client, scene, "?stage=all")[1]) == 2
