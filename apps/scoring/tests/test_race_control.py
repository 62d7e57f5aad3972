"""Race control reaches starts and times, and each of its acts is taken back by another one (rulebook 8.3, 9.3)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.accounts.services import set_role
from apps.course.factories import SegmentFactory, StageFactory, WaypointFactory
from apps.course.models import Stage
from apps.events.factories import EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry
from apps.penalties.models import Decision
from apps.racelog import services
from apps.racelog.domain.log import Kind
from apps.racelog.factories import RaceControlSettingsFactory
from apps.racelog.models import LogLine
from apps.racelog.services import Draft, Spot
from apps.scoring import interruptions
from apps.scoring.factories import ResultRevisionFactory, StageResultFactory
from apps.scoring.inputs import milliseconds
from apps.scoring.interruptions import Award, Cast
from apps.scoring.race_control import release, take_back
from apps.scoring.revisions import Publication, publish
from apps.scoring.start_lists import Where, open_stage, reposition
from apps.timing.domain.interruption import Seeding
from apps.timing.domain.start_order import StartOrderError
from apps.timing.models import EntrySegmentStart, StartList, StartOverride

pytestmark = pytest.mark.django_db
MINUTE = 60_000


@pytest.fixture
def stage(redis: Redis) -> Stage:
    """Began two minutes ago: five crews, a minute apart."""
    event = EventFactory(is_public=False)
    begin = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=2)
    stage: Stage = StageFactory(event=event, starts_at=begin, start_interval_seconds=60, name="Stage 1")
    SegmentFactory(stage=stage, sort_order=1)
    race_class = RaceClassFactory(event=event, code="C")
    for number in range(1, 6):
        EntryFactory(event=event, race_class=race_class, race_number=number, status="accepted")
    return stage


@pytest.fixture
def director(stage: Stage) -> User:
    user: User = UserFactory()
    set_role(stage.event.organization, user, "race-director")
    user.refresh_from_db()
    return user


Line = Callable[..., LogLine]


@pytest.fixture
def say(stage: Stage, director: User) -> Line:
    def one(kind: Kind, **more: object) -> LogLine:
        return services.write(director, Draft(stage.event, kind, stage, **{"text": "wind", **more}))  # type: ignore[arg-type]

    return one


def starts(stage: Stage) -> dict[int, int]:
    """Race number → minutes from the beginning of the stage, as assigned."""
    rows = EntrySegmentStart.objects.filter(segment__stage=stage).select_related("entry")
    return {row.entry.race_number: (milliseconds(row.target_at) - began(stage)) // MINUTE for row in rows}


def began(stage: Stage) -> int:
    return milliseconds(stage.starts_at)


def gone(stage: Stage, *numbers: int) -> None:
    rows = EntrySegmentStart.objects.filter(segment__stage=stage, entry__race_number__in=numbers)
    rows.update(actual_at=stage.starts_at)


def test_who_waits_starts_later_with_the_same_intervals_and_back_again(stage: Stage, director: User, say: Line) -> None:
    open_stage(stage, director)
    gone(stage, 1, 2)
    say(Kind.HOLD, at=stage.starts_at + timedelta(minutes=2))
    draft = Draft(stage.event, Kind.RELEASE, stage, text="wind over")
    line, moved = release(director, draft, began(stage) + 12 * MINUTE)
    assert moved is not None and (moved.by_ms, moved.numbers) == (10 * MINUTE, (3, 4, 5))
    assert starts(stage) == {1: 0, 2: 1, 3: 12, 4: 13, 5: 14}
    assert StartList.objects.filter(stage=stage).count() == 2
    take_back(director, line, "wrong hour")
    assert starts(stage) == {1: 0, 2: 1, 3: 2, 4: 3, 5: 4}
    assert not StartOverride.objects.filter(revoked_at=None).exists()


def test_a_crew_that_was_moved_before_keeps_its_place_through_a_hold_taken_back(
    stage: Stage, director: User, say: Line
) -> None:
    open_stage(stage, director)
    five = Entry.objects.get(race_number=5)
    reposition(stage, five, Where(position=3), "was kept back by an ambulance", director)
    say(Kind.HOLD, at=stage.starts_at)
    line, _moved = release(director, Draft(stage.event, Kind.RELEASE, stage, text="on"), began(stage) + 30 * MINUTE)
    take_back(director, line, "no")
    override = StartOverride.objects.get(revoked_at=None)
    assert (override.entry, override.position) == (five, 3)
    assert starts(stage)[5] == 2


def test_a_release_while_the_stage_is_stopped_moves_nobody_yet(stage: Stage, director: User, say: Line) -> None:
    open_stage(stage, director)
    say(Kind.HOLD, at=stage.starts_at)
    say(Kind.RED, at=stage.starts_at + timedelta(minutes=3))
    _line, moved = release(director, Draft(stage.event, Kind.RELEASE, stage, text="on"), began(stage) + 30 * MINUTE)
    assert moved is None and starts(stage)[1] == 0
    _line, moved = release(director, Draft(stage.event, Kind.GREEN, stage, text="on"), began(stage) + 40 * MINUTE)
    assert moved is not None and starts(stage)[1] == 40


def test_who_may_not_release_moves_nobody(stage: Stage, director: User, say: Line) -> None:
    open_stage(stage, director)
    say(Kind.HOLD, at=stage.starts_at)
    with pytest.raises(PermissionDenied):
        release(UserFactory(), Draft(stage.event, Kind.RELEASE, stage, text="x"), began(stage) + 30 * MINUTE)
    assert StartList.objects.filter(stage=stage).count() == 1


def test_a_stage_is_not_opened_while_somebody_is_not_ready(stage: Stage, director: User, say: Line) -> None:
    RaceControlSettingsFactory(event=stage.event, opening="refuse", services=["medical"])
    with pytest.raises(StartOrderError, match="Not ready: medical"):
        open_stage(stage, director)
    say(Kind.GO, about="medical", text="")
    assert open_stage(stage, director).version == 1


def test_a_hold_within_the_stage_moves_no_start(stage: Stage, director: User, say: Line) -> None:
    """A list gives times at the first start alone; elsewhere they are assigned on the road."""
    first = WaypointFactory(segment=stage.segments.get(), type="DSS")
    later = WaypointFactory(segment=SegmentFactory(stage=stage, sort_order=2), type="DSS")
    open_stage(stage, director)
    line = say(Kind.HOLD, at=stage.starts_at, spot=Spot(later.pk, "SS 2: DSS"))
    _line, moved = release(director, Draft(stage.event, Kind.RELEASE, stage, text="on"), began(stage) + 30 * MINUTE)
    assert moved is None and starts(stage)[1] == 0 and line.place == "SS 2: DSS"
    say(Kind.HOLD, at=stage.starts_at, spot=Spot(first.pk, "SS 1: DSS"))
    _line, moved = release(director, Draft(stage.event, Kind.RELEASE, stage, text="on"), began(stage) + 30 * MINUTE)
    assert moved is not None and starts(stage)[1] == 30


def test_what_is_done_elsewhere_is_in_the_log_and_taken_back_there(stage: Stage, director: User) -> None:
    open_stage(stage, director)
    line = LogLine.objects.get()
    assert (line.kind, line.author) == ("done", director)
    assert line.text == "Stage opened: start list version 1. Not ready: medical, sweep, timing."
    open_stage(stage, director)
    assert LogLine.objects.count() == 1, "it was open already"
    with pytest.raises(ValidationError, match="done elsewhere"):
        take_back(director, line, "x")


def drive(stage: Stage, number: int, start: int, seconds: int | None) -> Entry:
    """Start so many minutes after the stage; a finish after so many seconds."""
    entry: Entry = Entry.objects.get(race_number=number)
    begin = began(stage) + start * MINUTE
    finish = None if seconds is None else begin + seconds * 1000
    segment = {
        "segment": str(stage.segments.get().pk), "start_ts": begin, "driven_ts": begin, "finish_ts": finish,
        "net_ms": None if seconds is None else seconds * 1000, "notional": False,
    }  # fmt: skip
    StageResultFactory(entry=entry, stage=stage, status="running", outcome={"segments": [segment]})
    return entry


def test_example_10_is_proposed_awarded_and_taken_back(stage: Stage, director: User, say: Line) -> None:
    """Two were shown red, one caused it: the fastest time before the signal, the next where it is set aside."""
    fast, slow = drive(stage, 1, 0, 1120), drive(stage, 2, 1, 1132)
    shown, cause = drive(stage, 3, 15, None), drive(stage, 4, 16, 1445)
    red = say(Kind.RED, at=stage.starts_at + timedelta(minutes=30))
    segment = stage.segments.get()
    field = interruptions.field_of(segment)
    red_ts = began(stage) + 30 * MINUTE
    assert [met.entry for met in field if met.on_course(red_ts)] == [shown, cause]
    cast = Cast((str(shown.pk), str(cause.pk)), frozenset({str(cause.pk)}), seeding=Seeding.REVERSE)
    first, own = interruptions.proposed(field, red, cast)
    assert (first.entry, first.time_ms, first.article) == (str(shown.pk), 1_120_000, "4.37")
    assert (own.entry, own.time_ms, own.article) == (str(cause.pk), 1_445_000, "4.36")
    cast = Cast(cast.shown, cast.causes, frozenset({str(fast.pk)}), Seeding.REVERSE)
    assert interruptions.proposed(field, red, cast)[0].time_ms == 1_132_000 and slow

    awards = [Award(shown, 1_120_000, "4.37")]
    line = interruptions.award(director, red, segment, awards, "shown red at km 12")
    decision = Decision.objects.get()
    assert (decision.kind, decision.entry, decision.params["ms"]) == ("notional_time", shown, 1_120_000)
    with pytest.raises(ValidationError, match="notional times"):
        take_back(director, red, "no stop")
    take_back(director, line, "stewards decide otherwise")
    decision.refresh_from_db()
    assert decision.revoked_at is not None
    take_back(director, red, "no stop")


def test_after_a_restart_the_first_home_gives_the_time(stage: Stage, director: User, say: Line) -> None:
    shown = drive(stage, 3, 15, None)
    red = say(Kind.RED, at=stage.starts_at + timedelta(minutes=20))
    say(Kind.GREEN, at=stage.starts_at + timedelta(minutes=40))
    drive(stage, 5, 41, 1212)
    found = interruptions.proposed(interruptions.field_of(stage.segments.get()), red, Cast((str(shown.pk),)))
    assert (found[0].time_ms, found[0].article) == (1_212_000, "4.38")


def test_results_are_not_official_before_every_protest_is_heard(stage: Stage, director: User, say: Line) -> None:
    ResultRevisionFactory(
        event=stage.event, stage=stage, number=1, state="provisional", protest_until=timezone.now() - timedelta(hours=1)
    )
    protest = say(Kind.PROTEST, entry=Entry.objects.get(race_number=4))
    with pytest.raises(ValidationError, match="still to be heard, of number 4"):
        publish(Publication(stage.event, "official", stage), director)
    say(Kind.HEARD, about=str(protest.pk), text="rejected")
    assert publish(Publication(stage.event, "official", stage), director).state == "official"
