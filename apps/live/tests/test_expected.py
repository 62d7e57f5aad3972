"""Expected ranks: how they are worked out, and who is told them, by page, REST and socket alike."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import User
from apps.course.factories import StageFactory
from apps.events.factories import EntryCrewFactory
from apps.live.expected import Before, Course, Crew, expected
from apps.live.tests import scenes
from apps.live.tests.scenes import MINUTE, Scene
from apps.live.tests.server import WebServer
from apps.live.tests.test_audiences import snapshot_of
from apps.live.tests.test_ws_live import client as socket
from apps.scoring.factories import StageResultFactory
from apps.scoring.models import StageResult
from apps.timing.models import EntryCrossing


def crew(name: str, status: str, splits: list[int | None], before: int = 0, missing: int = 0) -> Crew:
    return Crew(name, ord(name), "M-2" if name == "d" else "M-1", status, splits, Before(before, missing))


FIELD = [
    crew("a", "finished", [900, 2000], 10_000),
    crew("b", "running", [1950, None], 9_000),
    crew("c", "running", [None, None], 9_500),
    crew("d", "running", [100, None], 1_000, missing=1),
    crew("e", "dnf", [50, None]),
    crew("f", "registered", []),
]


def ranks(field: list[Crew], factor: int = 1) -> dict[str, tuple[int | None, int | None, str | None]]:
    lines = expected(field, Course("s", "SS 1", ["WP 1", "WP 2"], factor))
    return {line["entryId"]: (line["rank"], line["classRank"], line["control"]) for line in lines}


def test_the_sum_of_what_was_brought_in_and_the_last_split() -> None:
    """f, not there yet, is taken to be as fast as b and stays ahead by what it brought; e is out; d drove less."""
    assert ranks(FIELD) == {"b": (3, 3, "WP 1"), "c": (None, None, None), "d": (5, 1, "WP 1")}


def test_on_the_stage_alone_who_has_not_got_there_is_not_ahead() -> None:
    alone = [Crew(one.entry, one.race_number, one.class_code, one.status, one.splits) for one in FIELD]
    assert ranks(alone) == {"b": (3, 2, "WP 1"), "c": (None, None, None), "d": (1, 1, "WP 1")}


def test_a_prologue_that_counts_five_times_weighs_five_times() -> None:
    """b lost 1,050 ms at WP 1 against a and had 1,000 more: level at once, far behind at five times."""
    field = [FIELD[0], crew("b", "running", [1850, None], 9_000)]
    assert ranks(field)["b"][0] == 1 and ranks(field, factor=5)["b"][0] == 2


def test_of_equal_sums_nobody_is_ahead() -> None:
    assert ranks([crew("a", "running", [900]), crew("b", "running", [900])]) == {
        "a": (1, 1, "WP 1"), "b": (1, 1, "WP 1"),
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


def pilot(scene: Scene, n: int) -> User:
    user: User = UserFactory.create()
    OrganizationUserFactory.create(organization=scene.board.event.organization, user=user, role="participant")
    EntryCrewFactory.create(entry=scene.board.entries[n], user=user)
    return user


def earlier(scene: Scene, minutes: int = 30, **values: Any) -> Any:
    begin = scene.stage.starts_at - timedelta(minutes=minutes)
    return StageFactory.create(event=scene.board.event, starts_at=begin, **values)


def brought(scene: Scene, stage: Any, total_ms: int, **values: Any) -> StageResult:
    row: StageResult = StageResultFactory.create(
        entry=scene.board.entries[-1], stage=stage, status="finished", total_ms=total_ms, **values
    )
    return row


@pytest.mark.django_db
class TestToldByRest:
    def lines(self, client: Client, scene: Scene, of: str = "") -> list[dict[str, Any]]:
        address = f"stages/{scene.stage.id}" if of == "stage" else f"events/{scene.board.event.id}"
        found: list[dict[str, Any]] = client.get(f"/api/v1/{address}/expected").json()["results"]
        return found

    def test_of_the_stage(self, client: Client) -> None:
        """The last of six crews has driven 60 % of a course with a control at each quarter, slower than all."""
        scene = scenes.stage()
        assert self.lines(client, scene, "stage") == [{
            "entryId": str(scene.board.entries[-1].id), "raceNumber": 306, "stageId": str(scene.stage.id),
            "stage": "Prologue", "control": "WP 2", "timeMs": 15 * MINUTE // 2, "rank": 6, "classRank": 3,
        }]  # fmt: skip

    def test_overall_the_stages_before_count_as_often_as_in_the_event(self, client: Client) -> None:
        """Who has them all is ahead of everybody who has not."""
        scene = scenes.stage()
        brought(scene, earlier(scene, 40, overall_factor=5), 70_000, penalty_ms=10_000, overall_penalty_ms=10_000)
        brought(scene, earlier(scene, 20, overall_factor=0), 70_000)
        [line] = self.lines(client, scene)
        assert (line["rank"], line["classRank"], line["control"]) == (1, 1, "WP 2")

    def test_with_nobody_inside_there_is_none(self, client: Client) -> None:
        scene = scenes.stage()
        StageResult.objects.filter(stage=scene.stage, status="running").update(status="dnf")
        assert self.lines(client, scene) == self.lines(client, scene, "stage") == []

    def test_it_is_as_late_as_the_board(self, client: Client) -> None:
        """The public learns neither of the crew's times nor of a result of before that was just written anew."""
        scene = scenes.stage()
        row = brought(scene, earlier(scene), 1000)
        scene.board.event.public_delay_seconds = 1800
        scene.board.event.save()
        assert self.lines(client, scene) == []
        assert [line["rank"] for line in self.lines(client, scene, "stage")] == [None]
        StageResult.objects.filter(id=row.id).update(updated_at=timezone.now() - timedelta(hours=1))
        cache.clear()
        assert [line["rank"] for line in self.lines(client, scene)] == [None]

    def test_a_crew_is_told_none(self, client: Client) -> None:
        scene = scenes.stage()
        client.force_login(pilot(scene, 0))
        assert self.lines(client, scene) == self.lines(client, scene, "stage") == []

    def test_the_page_says_the_same_without_a_script(self, client: Client) -> None:
        scene = scenes.stage()
        of_stage, of_class = (
            client.get(f"{scene.address()}?stage={scene.stage.sort_order}{more}").content.decode()
            for more in ("", "&class=C-2")
        )
        assert '<span class="virtual">≈6. at WP 2</span>' in of_stage
        assert '<span class="virtual">≈3. at WP 2</span>' in of_class

    def test_an_event_that_is_not_public_tells_nobody(self, client: Client) -> None:
        scene = scenes.stage(public=False)
        assert client.get(f"/api/v1/stages/{scene.stage.id}/expected").status_code == 404


@pytest.mark.django_db(transaction=True)
class TestToldBySocket:
    def test_ranks_come_as_they_change_and_go_when_the_crew_is_in(self, web: WebServer) -> None:
        scene = scenes.stage()
        last = scene.board.entries[-1]
        topic = f"expected:{scene.board.event.id}:{scene.stage.id}"
        with socket(web) as public:
            [line] = snapshot_of(public, topic)
            assert (line["entryId"], line["rank"], line["control"]) == (str(last.id), 6, "WP 2")
            crossing = EntryCrossing.objects.get(entry=last, control=scene.controls[2].id)
            EntryCrossing.objects.create(
                entry=last, control=scene.controls[3].id, direction="enter", ts=crossing.ts + 1000, uncertainty_ms=50,
                device=scene.imeis[-1], before_ts=crossing.ts, after_ts=crossing.ts + 1000, fraction=0,
            )  # fmt: skip
            frame = public.hear(timeout=15)
            assert (frame["type"], frame["topic"]) == ("expected", topic)
            assert [(one["control"], one["rank"]) for one in frame["changes"]] == [("WP 3", 2)]
            StageResult.objects.filter(entry=last, stage=scene.stage).update(status="finished")
            assert public.hear(timeout=15)["changes"] == [{"key": str(last.id), "gone": True}]

    def test_a_crew_hears_none_and_keeps_its_socket(self, web: WebServer) -> None:
        scene = scenes.stage()
        with socket(web, pilot(scene, 0)) as crew:
            assert snapshot_of(crew, f"expected:{scene.board.event.id}") == []
            crew.say(type="unsubscribe", topic=f"expected:{scene.board.event.id}")
            assert crew.hear()["type"] == "unsubscribed"

    def test_of_an_event_that_is_not_public_it_is_forbidden(self, web: WebServer) -> None:
        scene = scenes.stage(public=False)
        with socket(web) as public:
            public.say(type="subscribe", topic=f"expected:{scene.board.event.id}")
            assert public.hear()["code"] == "forbidden"
