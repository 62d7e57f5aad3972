"""Classifications from stored results: scopes, bases, that they agree with the board, and their queries."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.course.factories import StageFactory
from apps.course.models import Stage
from apps.events.domain.standing import ENTRY_TRANSITIONS
from apps.events.factories import EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, EntryStatus, Event
from apps.scoring import board
from apps.scoring.domain.standings import Basis, By, Row, Table
from apps.scoring.factories import StageResultFactory
from apps.scoring.models import EventResult, StageResult
from apps.scoring.plans import event_plan
from apps.scoring.standings import Of, Scope, standings
from apps.scoring.tests.rally import START

pytestmark = pytest.mark.django_db

Crews = list[Entry]


@pytest.fixture
def event() -> Event:
    """Two stages of leg 1 and one of its own, without a result."""
    event: Event = EventFactory()
    for n, leg in enumerate((1, 1, None)):
        StageFactory(event=event, name=f"S{n}", sort_order=n, leg=leg, starts_at=START + timedelta(days=n))
    return event


@pytest.fixture
def crews(event: Event) -> Crews:
    car = RaceClassFactory(event=event, code="C-1", group="car")
    moto = RaceClassFactory(event=event, code="M-1", group="")
    return [
        EntryFactory(event=event, race_number=301 + n, race_class=moto if n == 3 else car, team="one" if n < 2 else "")
        for n in range(4)
    ]


def stages(event: Event) -> list[Stage]:
    return list(Stage.objects.filter(event=event).order_by("starts_at"))


def result(entry: Entry, stage: Stage, total: int | None, **fields: Any) -> None:
    """A finished stage; `start_order` goes into the outcome, where the scorer puts it."""
    start_order = fields.pop("start_order", 0)
    values = {"status": "finished", "overall_penalty_ms": fields.get("penalty_ms", 0)} | fields
    outcome = {"start_order_penalty_ms": start_order}
    StageResultFactory(entry=entry, stage=stage, total_ms=total, outcome=outcome, **values)


@pytest.fixture
def driven(event: Event, crews: Crews) -> str:
    """The first finishes both, the second takes a lump in the second stage, the third sped, the fourth retired."""
    first, second, _ = stages(event)
    result(crews[0], first, 1000, splits=[1000])
    result(crews[0], second, 1000, splits=[1000])
    result(crews[1], first, 900, splits=[900])
    result(crews[1], second, 5000, status="dnf", penalty_ms=5000, splits=[None])
    result(crews[2], first, 950, penalty_ms=100, overall_penalty_ms=400, start_order=30, splits=[850])
    result(crews[2], second, 1010, splits=[1010])
    result(crews[3], first, 800, splits=[800])
    result(crews[3], second, 5000, status="dnf", penalty_ms=5000, splits=[None])
    Entry.objects.filter(id=crews[3].id).update(status="retired")
    return str(event.id)


def numbers(rows: Iterable[Row]) -> list[tuple[int, int | None, int | None]]:
    """(race number, rank, what it is by)"""
    found = {str(entry.id): entry.race_number for entry in Entry.objects.all()}
    return [(found[row.entries[0]], row.rank, row.ranked_ms) for row in rows]


def stage_of(event: Event, n: int) -> Of:
    return Of(Scope.STAGE, str(stages(event)[n].id))


def test_a_stage(driven: str, event: Event) -> None:
    """A lump is a time; who left the event has none."""
    assert numbers(standings(driven, stage_of(event, 0))) == [
        (304, 1, 800), (302, 2, 900), (303, 3, 950), (301, 4, 1000),
    ]  # fmt: skip
    assert numbers(standings(driven, stage_of(event, 1))) == [
        (301, 1, 1000), (303, 2, 1010), (302, 3, 5000), (304, None, None),
    ]  # fmt: skip


def test_a_stage_nobody_has_driven_lists_everyone(driven: str, event: Event) -> None:
    assert [row[1:] for row in numbers(standings(driven, stage_of(event, 2)))] == [(None, None)] * 4


def test_bases_of_a_stage(driven: str, event: Event) -> None:
    clean = standings(driven, stage_of(event, 0), Table(basis=Basis.CLEAN))
    assert numbers(clean)[1:3] == [(303, 2, 850), (302, 3, 900)]
    order = standings(driven, stage_of(event, 0), Table(basis=Basis.START_ORDER))
    assert numbers(order)[1:3] == [(303, 2, 880), (302, 3, 900)]


def test_a_leg_and_the_event(driven: str) -> None:
    """What touches only the overall is in the event and not in the leg."""
    leg = standings(driven, Of(Scope.LEG, "1"))
    assert numbers(leg) == [(303, 1, 1960), (301, 2, 2000), (302, 3, 5900), (304, None, 800)]
    overall = standings(driven)
    assert numbers(overall) == [(301, 1, 2000), (303, 2, 2260), (302, 3, 5900), (304, None, 800)]
    assert [row.gap_ms for row in overall] == [0, 260, 3900, None]


def test_classes_groups_and_teams(driven: str) -> None:
    by_class = standings(driven, table=Table(By.CLASS))
    assert [(row.section, row.rank) for row in by_class] == [("C-1", 1), ("C-1", 2), ("C-1", 3), ("M-1", None)]
    assert {row.section for row in standings(driven, table=Table(By.GROUP))} == {"car"}
    (team,) = standings(driven, table=Table(By.TEAM))
    assert (team.section, team.rank, team.ranked_ms) == ("one", 1, 7900)


@pytest.mark.parametrize(("size", "rank", "total"), [(1, 1, 2000), (3, None, None)])
def test_the_event_says_how_many_members_of_a_team_count(
    driven: str, event: Event, size: int, rank: int | None, total: int | None
) -> None:
    Event.objects.filter(id=event.id).update(team_size=size)
    (team,) = standings(driven, table=Table(By.TEAM))
    assert (team.rank, team.ranked_ms) == (rank, total)


@pytest.mark.parametrize("complete_first", [False, True])
def test_the_board_ranks_as_the_tables_do(driven: str, event: Event, complete_first: bool) -> None:
    """Pages, documents and the live board show one truth."""
    Event.objects.filter(id=event.id).update(complete_first=complete_first)
    plan = event_plan(driven)
    board.publish(plan, {stage.id: set() for stage in plan.stages})
    rows = {row.entries[0]: row for row in standings(driven)}
    found = EventResult.objects.filter(event=event)
    assert {str(r.entry_id): (r.rank, r.total_ms, r.penalty_ms, r.completed_stages, r.status) for r in found} == {
        entry: (row.rank, row.total_ms, row.penalty_ms, row.completed, row.status) for entry, row in rows.items()
    }
    assert {str(r.entry_id): r.class_rank for r in found} == _ranks(standings(driven, table=Table(By.CLASS)))
    for n, stage in enumerate(stages(event)[:2]):
        of_stage = {str(r.entry_id): r.rank for r in StageResult.objects.filter(stage=stage)}
        assert of_stage == _ranks(standings(driven, stage_of(event, n)))


def _ranks(rows: Iterable[Row]) -> dict[str, int | None]:
    return {row.entries[0]: row.rank for row in rows}


def test_the_number_of_queries_does_not_grow(driven: str, event: Event) -> None:
    standings(driven)
    with CaptureQueriesContext(
        connection,
    ) as few:
        standings(driven)
    for n in range(5):
        entry = EntryFactory(event=event, race_number=401 + n)
        for stage in stages(event):
            result(entry, stage, 1000)
    event_plan(driven)  # a new class is a new plan
    with CaptureQueriesContext(connection) as many:
        standings(driven)
    assert len(few) == len(many) == 3


def test_a_course_car_is_in_no_table(driven: str, event: Event) -> None:
    EntryFactory(event=event, race_number=999, competing=False)
    assert 999 not in {number for number, *_ in numbers(standings(driven))}


@pytest.mark.parametrize("of", [Of(Scope.STAGE, "x"), Of(Scope.LEG, "9")])
def test_an_unknown_stage_or_leg_is_named(driven: str, of: Of) -> None:
    with pytest.raises(LookupError, match=f"has no {of.scope.value} '{of.id}'"):
        standings(driven, of)


def test_every_status_of_an_entry_has_transitions() -> None:
    """The table of the pure domain and the column of the model know the same words."""
    assert set(ENTRY_TRANSITIONS) == set(EntryStatus.values)
