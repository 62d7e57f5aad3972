"""An event is official after its stages (rulebook 9.2): each settled, official, and as it was published."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.course.factories import StageFactory
from apps.course.models import Stage
from apps.penalties.models import PenaltyFormula
from apps.scoring import snapshot
from apps.scoring.models import StageResult
from apps.scoring.revisions import Publication, publish
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import race
from apps.scoring.upkeep import keep_up

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def driven(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> rally.Rally:
    monkeypatch.setattr(snapshot, "SETTLED", timedelta(0))  # nobody writes beside the test
    return race(redis, rally.build(entries=3))


@pytest.fixture
def official(driven: rally.Rally) -> User:
    """Whoever publishes; the event is provisional, and its protests are over."""
    user = UserFactory()
    publish(Publication(driven.event, "provisional", protest_minutes=0), user)
    return user


def stage_made(driven: rally.Rally, states: list[str], by: User, stage: Stage | None = None) -> None:
    for state in states:
        publish(Publication(driven.event, state, stage or Stage.objects.get(id=driven.stage_id), "why", 0), by)


def refusals(driven: rally.Rally, by: User) -> list[str]:
    """Why the event cannot be official; empty where it then is."""
    try:
        publish(Publication(driven.event, "official"), by)
    except ValidationError as error:
        return list(error.messages)
    return []


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ([], "not published"),
        (["provisional"], "provisional"),
        (["provisional", "official", "amended"], "amended"),
    ],
)
def test_a_stage_without_an_official_result_holds_the_event_back(
    driven: rally.Rally, official: User, states: list[str], told: str
) -> None:
    stage_made(driven, states, official)
    assert refusals(driven, official) == [
        f"Stage 1 has no official result ({told}): the stages are made official before the event."
    ]


def test_official_stages_make_way_for_the_event(driven: rally.Rally, official: User) -> None:
    stage_made(driven, ["provisional", "official"], official)
    assert refusals(driven, official) == []


def test_a_stage_that_nobody_drove_is_published_too(driven: rally.Rally, official: User) -> None:
    """It was called off: somebody has to say so."""
    second = StageFactory(event=driven.event, name="Stage 2", sort_order=2, starts_at=rally.START + timedelta(days=1))
    stage_made(driven, ["provisional", "official"], official)
    assert [text.split(" has ")[0] for text in refusals(driven, official)] == ["Stage 2"]
    stage_made(driven, ["provisional", "official"], official, second)
    assert refusals(driven, official) == []


@pytest.mark.parametrize("factor", [5, 0])
def test_the_board_of_the_event_follows_the_factor_of_a_stage(driven: rally.Rally, official: User, factor: int) -> None:
    """Set after it was driven: no stage result changes, the sums do, and what is published is what is shown."""
    stage_total = StageResult.objects.get(entry=driven.entries[0]).total_ms or 0
    Stage.objects.filter(id=driven.stage_id).update(overall_factor=factor)
    list(keep_up(str(driven.event.id)))
    revision = publish(Publication(driven.event, "amended", reason="the prologue counts otherwise"), official)
    totals = {line["entry"]: line["total_ms"] for line in revision.snapshot["results"]}
    assert totals.get(str(driven.entries[0].id)) == (factor * stage_total if factor else None)


def test_a_stage_that_runs_holds_the_event_back(driven: rally.Rally, official: User) -> None:
    stage_made(driven, ["provisional", "official"], official)
    StageResult.objects.filter(entry=driven.entries[1]).update(status="running", rank=None, total_ms=None)
    told = refusals(driven, official)
    assert any("Stage 1 still runs: number 302" in text for text in told)


def test_a_stage_that_moved_since_its_official_result_is_amended_first(driven: rally.Rally, official: User) -> None:
    stage_made(driven, ["provisional", "official"], official)
    PenaltyFormula.objects.filter(type="missed_waypoint").update(penalty=60)
    list(keep_up(str(driven.event.id)))
    assert refusals(driven, official) == [
        "Stage 1: number 302, 303 has moved since its official result: amend that first."
    ]
    stage_made(driven, ["amended", "official"], official)
    assert refusals(driven, official) == []
