"""Start lists on real PostgreSQL: proposed, opened, published again, moved by officials (rulebook 7)."""

import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.common import stream
from apps.course.factories import SegmentFactory, StageFactory
from apps.course.models import Segment, SegmentType, Stage, StartFrom
from apps.events.factories import EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, EntryStatus
from apps.penalties.factories import EntryPenaltyFactory
from apps.scoring.factories import EventResultFactory, StageResultFactory
from apps.scoring.models import StageResult
from apps.scoring.start_lists import Republished, Where, open_stage, propose, reposition, republish, revoke
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor, scorer
from apps.timing.domain.start_order import StartOrderError
from apps.timing.models import EntrySegmentStart, StartList, StartOverride

pytestmark = pytest.mark.django_db
committing = pytest.mark.django_db(transaction=True)
BEGIN = datetime(2026, 6, 8, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def official(redis: Redis) -> User:
    """Who signs; with an empty Redis, for what is asked of the scorer after a commit."""
    return UserFactory()


@pytest.fixture
def stage() -> Stage:
    """The second stage of an event of five motorcycles, 1 to 5, in one class."""
    event = EventFactory()
    first = StageFactory(event=event, starts_at=BEGIN - timedelta(days=1), sort_order=1)
    stage = StageFactory(event=event, starts_at=BEGIN, sort_order=2, name="Stage 2")
    SegmentFactory(stage=first)
    SegmentFactory(stage=stage, sort_order=1, type=SegmentType.LIAISON)
    SegmentFactory(stage=stage, sort_order=2, start_from=StartFrom.ASSIGNED)
    moto = RaceClassFactory(event=event, code="M-1")
    for number in range(1, 6):
        EntryFactory(event=event, race_class=moto, race_number=number, status=EntryStatus.ACCEPTED)
    return stage


def entry(stage: Stage, number: int) -> Entry:
    return Entry.objects.get(event=stage.event, race_number=number)


def results(stage: Stage, minutes: dict[int, float], **fields: Any) -> None:
    """Finish the stage before in so many minutes, by race number."""
    first = Stage.objects.get(event=stage.event, sort_order=1)
    for number, value in minutes.items():
        ms = round(value * 60_000)
        StageResultFactory(
            entry=entry(stage, number), stage=first, status="finished", time_ms=ms, total_ms=ms, **fields
        )


def use(stage: Stage, strategy: str, **params: Any) -> None:
    stage.start_order_strategy, stage.start_order_strategy_params = strategy, params
    stage.save()


def numbers(stage: Stage) -> list[int]:
    return [row.number for row in propose(stage)]


def starts(stage: Stage) -> dict[int, datetime]:
    """Race number → assigned start, as the scorer reads it."""
    rows = EntrySegmentStart.objects.filter(segment__stage=stage).order_by("target_at", "entry__race_number")
    return dict(rows.values_list("entry__race_number", "target_at"))


def test_a_proposal_writes_nothing(stage: Stage) -> None:
    assert numbers(stage) == [1, 2, 3, 4, 5]
    assert not EntrySegmentStart.objects.exists() and not StartList.objects.exists()


@committing
def test_opening_writes_the_starts_of_the_first_assigned_segment_and_asks_the_scorer(
    stage: Stage, official: User, redis: Redis
) -> None:
    """Assigned starts are evidence; the liaison before and what comes later get none from the list."""
    SegmentFactory(stage=stage, sort_order=3, start_from=StartFrom.ASSIGNED)
    held = open_stage(stage, official)
    assert (held.version, held.state, held.author, len(held.rows)) == (1, "published", official, 5)
    assert starts(stage) == {n: BEGIN + (n - 1) * MINUTE for n in range(1, 6)}
    assert set(EntrySegmentStart.objects.values_list("segment__sort_order", flat=True)) == {2}
    [request] = stream.entries(redis, stream.REQUESTS_STREAM)
    assert request.fields[b"reason"] == b"assignment" and request.fields[b"stage_id"].decode() == str(stage.id)


def test_the_settings_may_name_segments_with_their_offset(stage: Stage, official: User) -> None:
    use(stage, "manual", segments=[{"sort_order": 1}, {"sort_order": 2, "after_seconds": 5400}])
    open_stage(stage, official)
    rows = EntrySegmentStart.objects.filter(entry__race_number=2)
    of = dict(rows.values_list("segment__sort_order", "target_at"))
    assert of == {1: BEGIN + MINUTE, 2: BEGIN + 91 * MINUTE}


def test_opening_twice_changes_nothing(stage: Stage, official: User) -> None:
    first = open_stage(stage, official)
    results(stage, {5: 10})
    use(stage, "previous_stage")
    assert open_stage(stage, UserFactory()) == first
    assert StartList.objects.count() == 1 and starts(stage)[1] == BEGIN


def test_previous_stage_counts_penalties_that_touch_the_order_and_breaks_ties_by_number(stage: Stage) -> None:
    """DAK-COURSE; each flag says what it touches, the stage alone never the order (6.3)."""
    results(stage, {1: 60, 2: 58, 3: 58, 4: 55})
    first = Stage.objects.get(event=stage.event, sort_order=1)
    for number, seconds, touches in [(4, 600, ["start_order"]), (1, 900, ["overall", "stage"]), (2, 1, ["stage"])]:
        EntryPenaltyFactory(entry=entry(stage, number), stage=first, seconds=seconds, applies_to=touches)
    use(stage, "previous_stage")
    assert numbers(stage) == [2, 3, 1, 4, 5]


def test_a_waived_penalty_does_not_move_a_crew_back(stage: Stage, official: User) -> None:
    results(stage, {1: 60, 2: 58})
    EntryPenaltyFactory(
        entry=entry(stage, 2), stage=Stage.objects.get(event=stage.event, sort_order=1), seconds=900,
        applies_to=["start_order"], status="waived", author=official, reason="timekeeping error",
    )  # fmt: skip
    use(stage, "previous_stage")
    assert numbers(stage)[:2] == [2, 1]


def test_the_clean_result_ignores_penalties(stage: Stage) -> None:
    """A penalty taken on purpose brings no better place on the road."""
    first = Stage.objects.get(event=stage.event, sort_order=1)
    for number, time_ms, total_ms in [(1, 100, 900), (2, 200, 200)]:
        fields = {"status": "finished", "time_ms": time_ms, "total_ms": total_ms}
        EntryPenaltyFactory(entry=entry(stage, number), stage=first, seconds=(total_ms - time_ms) / 1000)
        StageResultFactory(entry=entry(stage, number), stage=first, **fields)
    use(stage, "previous_stage_clean_result")
    assert numbers(stage)[:2] == [1, 2]
    use(stage, "previous_stage")
    assert numbers(stage)[:2] == [2, 1]


def test_who_did_not_finish_comes_last_and_who_is_out_does_not_start(stage: Stage) -> None:
    results(stage, {5: 50, 4: 60, 3: 55})
    first = Stage.objects.get(event=stage.event, sort_order=1)
    StageResultFactory(entry=entry(stage, 1), stage=first, status="dnf", total_ms=1, time_ms=1)
    Entry.objects.filter(event=stage.event, race_number=3).update(status=EntryStatus.RETIRED)
    Entry.objects.filter(event=stage.event, race_number=5).update(status=EntryStatus.NC)
    use(stage, "previous_stage")
    assert numbers(stage) == [4, 1, 2, 5]


def test_inverse_of_the_overall_with_equal_times_by_number(stage: Stage) -> None:
    for number, rank, total in [(3, 1, 100), (2, 2, 200), (1, 3, 200), (4, 4, 300)]:
        EventResultFactory(entry=entry(stage, number), status="running", rank=rank, total_ms=total, time_ms=total)
    use(stage, "inverse_of_overall")
    assert numbers(stage) == [4, 2, 1, 3, 5]


@pytest.mark.parametrize(
    ("strategy", "params", "message"),
    [
        ("previous_stage", {}, "Stage 2: .* has no result yet"),
        ("manual", {"blocks": [{"name": "car", "classes": ["T-1"]}]}, "Stage 2: blocks: T-1: no class of this event"),
        ("manual", {"order": [77, 1]}, "77 in no competing entry"),
        ("manual", {"segments": [{"sort_order": 9}]}, "no segment with sort order 9"),
    ],
)
def test_a_list_that_cannot_be_made_says_why(
    stage: Stage, official: User, strategy: str, params: dict[str, Any], message: str
) -> None:
    use(stage, strategy, **params)
    with pytest.raises(StartOrderError, match=message):
        open_stage(stage, official)
    assert not EntrySegmentStart.objects.exists()


def test_the_first_stage_has_none_before_it(stage: Stage) -> None:
    first = Stage.objects.get(event=stage.event, sort_order=1)
    use(first, "previous_stage")
    with pytest.raises(StartOrderError, match="no stage before it"):
        propose(first)


def test_publishing_again_says_who_moved_and_keeps_the_old_version(stage: Stage, official: User) -> None:
    """Late re-seeding: a corrected result before the start."""
    results(stage, {1: 50, 2: 51, 3: 52})
    use(stage, "previous_stage")
    first = open_stage(stage, official)
    stage.event.entries.get(race_number=2).stage_results.update(time_ms=49 * 60_000, total_ms=49 * 60_000)
    done = republish(stage, official, "time of 2 corrected")
    assert done.list.version == 2 and done.list.reason == "time of 2 corrected"
    assert [(m.number, m.old_ms, m.new_ms) for m in done.moves] == [(2, ms(1), ms(0)), (1, ms(0), ms(1))]
    first.refresh_from_db()
    assert first.rows[0]["number"] == 1 and starts(stage)[2] == BEGIN


def ms(minute: int) -> int:
    return int((BEGIN + minute * MINUTE).timestamp() * 1000)


def test_publishing_again_without_a_change_makes_no_version(stage: Stage, official: User) -> None:
    first = open_stage(stage, official)
    assert republish(stage, official, "to be sure") == Republished(first, ())
    assert StartList.objects.count() == 1


def test_a_list_is_published_again_only_once_open_and_with_a_reason(stage: Stage, official: User) -> None:
    with pytest.raises(StartOrderError, match="not open"):
        republish(stage, official, "early")
    with pytest.raises(StartOrderError, match="reason"):
        republish(stage, official, " ")


def test_a_published_list_cannot_be_edited(stage: Stage, official: User) -> None:
    held = open_stage(stage, official)
    held.rows = []
    with pytest.raises(DatabaseError, match="publish a new version"), transaction.atomic():
        held.save()


def test_who_has_started_is_never_moved(stage: Stage, official: User) -> None:
    open_stage(stage, official)
    EntrySegmentStart.objects.filter(entry__race_number__in=(1, 2)).update(actual_at=BEGIN)
    results(stage, {5: 40, 4: 41, 3: 42, 2: 43, 1: 44})
    use(stage, "previous_stage")
    republish(stage, official, "order of stage 1")
    assert list(starts(stage)) == [1, 2, 5, 4, 3]
    with pytest.raises(StartOrderError, match="1 has started"):
        reposition(stage, entry(stage, 1), Where(position=3), "late", official)


def test_who_was_seen_at_the_start_keeps_its_time(stage: Stage, official: User) -> None:
    """Also where nobody writes down actual starts, a list published late does not rewrite driven times."""
    open_stage(stage, official)
    segment = Segment.objects.get(stage=stage, sort_order=2)
    outcome = {"segments": [{"segment": str(segment.id), "driven_ts": ms(1)}]}
    StageResultFactory(entry=entry(stage, 2), stage=stage, status="running", outcome=outcome)
    use(stage, "manual", order=[5, 4, 3, 2, 1])
    republish(stage, official, "reversed")
    assert list(starts(stage)) == [1, 2, 5, 4, 3]


def test_a_start_set_by_hand_stays_unless_asked(stage: Stage, official: User) -> None:
    open_stage(stage, official)
    at = BEGIN + timedelta(minutes=20, seconds=30)
    EntrySegmentStart.objects.filter(entry__race_number=1).update(target_at=at, manual_override=True)
    use(stage, "manual", order=[2, 3])
    done = republish(stage, official, "2 before 3")
    assert starts(stage)[1] == at and done.list.rows[-1]["start_ms"] == ms(20) + 30_000
    republish(stage, official, "as planned", reset_by_hand=True)
    assert starts(stage)[1] == BEGIN + 2 * MINUTE


def test_a_late_entry_starts_behind_all_others_and_stays_there(stage: Stage, official: User) -> None:
    """PGR: nobody who has read the list is moved by it."""
    open_stage(stage, official)
    late = EntryFactory(event=stage.event, race_class=entry(stage, 1).race_class, race_number=0, status="accepted")
    [move] = republish(stage, official, "late entry").moves
    assert (move.number, move.old_ms, move.new_ms) == (late.race_number, None, ms(5))
    assert not republish(stage, official, "again").moves


def test_who_withdraws_leaves_the_list_and_its_start_goes(stage: Stage, official: User) -> None:
    open_stage(stage, official)
    Entry.objects.filter(event=stage.event, race_number=2).update(status=EntryStatus.WITHDRAWN)
    moves = republish(stage, official, "2 withdrawn").moves
    assert moves[-1].number == 2 and moves[-1].new_ms is None
    assert list(starts(stage)) == [1, 3, 4, 5] and starts(stage)[3] == BEGIN + MINUTE


def test_repositioning_is_a_signed_decision_and_can_be_taken_back(stage: Stage, official: User) -> None:
    open_stage(stage, official)
    override = reposition(stage, entry(stage, 5), Where(position=1), "leads the championship", official)
    assert starts(stage)[5] == BEGIN + 4 * MINUTE  # only a published list moves anybody
    done = republish(stage, official, "5 moved forward")
    assert starts(stage)[5] == BEGIN and done.list.rows[0]["reason"] == "leads the championship"
    other = UserFactory()
    with pytest.raises(StartOrderError, match="with a reason"):
        revoke(override, other, " ")
    revoke(override, other, "wrong crew")
    revoke(override, official, "again")
    override.refresh_from_db()
    assert override.revoked_by == other and numbers(stage) == [1, 2, 3, 4, 5]


def test_moving_an_entry_again_replaces_the_earlier_word(stage: Stage, official: User) -> None:
    reposition(stage, entry(stage, 5), Where(position=1), "first", official)
    reposition(stage, entry(stage, 5), Where(after=entry(stage, 2)), "second", official)
    assert numbers(stage) == [1, 2, 5, 3, 4]
    assert StartOverride.objects.count() == 2 and StartOverride.objects.get(revoked_at=None).reason == "second"


def test_an_exact_time_moves_nobody_else(stage: Stage, official: User) -> None:
    open_stage(stage, official)
    reposition(stage, entry(stage, 2), Where(start_at=BEGIN + 30 * MINUTE), "puncture", official)
    assert [m.number for m in republish(stage, official, "2 later").moves] == [2]
    assert starts(stage)[2] == BEGIN + 30 * MINUTE


@pytest.mark.parametrize(
    ("where", "reason", "message"),
    [
        (Where(), "x", "give one of"),
        (Where(position=2, start_at=BEGIN), "x", "give one of"),
        (Where(position=0), "x", "begin at 1"),
        (Where(position=9), "x", "position 9 of 5"),
        (Where(start_at=BEGIN - MINUTE), "x", "before the start of Stage 2"),
        (Where(position=2), " ", "needs a reason"),
    ],
)
def test_a_move_without_sense_is_refused_whole(
    stage: Stage, official: User, where: Where, reason: str, message: str
) -> None:
    with pytest.raises(StartOrderError, match=message):
        reposition(stage, entry(stage, 1), where, reason, official)
    assert not StartOverride.objects.exists()


def test_contradicting_overrides_are_refused_and_leave_the_first(stage: Stage, official: User) -> None:
    reposition(stage, entry(stage, 5), Where(position=1), "first", official)
    with pytest.raises(StartOrderError, match="both to start at position 1"):
        reposition(stage, entry(stage, 4), Where(position=1), "too", official)
    assert StartOverride.objects.count() == 1


def test_another_events_entry_is_refused(stage: Stage, official: User) -> None:
    with pytest.raises(StartOrderError, match="another event"):
        reposition(stage, EntryFactory(), Where(position=1), "x", official)


def test_an_override_heeded_before_the_start_does_not_bind_later(stage: Stage, official: User) -> None:
    """1 starts behind 2 and is on the road; that 2 then retires must not stop the next list."""
    open_stage(stage, official)
    reposition(stage, entry(stage, 1), Where(after=entry(stage, 2)), "swap", official)
    republish(stage, official, "swap")
    segment = Segment.objects.get(stage=stage, sort_order=2)
    outcome = {"segments": [{"segment": str(segment.id), "driven_ts": ms(1)}]}
    StageResultFactory(entry=entry(stage, 1), stage=stage, status="running", outcome=outcome)
    Entry.objects.filter(event=stage.event, race_number=2).update(status=EntryStatus.RETIRED)
    republish(stage, official, "2 retired")
    assert starts(stage)[1] == BEGIN + MINUTE


def test_starts_written_before_there_were_lists_are_taken_over(stage: Stage, official: User) -> None:
    """As the demo writes them: who has started stays, the others get the list's times."""
    segment = Segment.objects.get(stage=stage, sort_order=2)
    for position, number in enumerate((3, 2, 1), start=1):
        EntrySegmentStart.objects.create(
            entry=entry(stage, number), segment=segment, start_position=position,
            target_at=BEGIN + position * 10 * MINUTE, actual_at=BEGIN if number == 3 else None,
        )  # fmt: skip
    open_stage(stage, official)
    assert starts(stage) == {n: BEGIN + at * MINUTE for n, at in [(3, 10), (1, 11), (2, 12), (4, 13), (5, 14)]}


@committing
def test_two_officials_opening_at_once_publish_one_list(stage: Stage, official: User) -> None:
    """The event's lock: without it both would write version 1, or the starts twice."""
    found = at_once(lambda: open_stage(stage, official))
    assert [f.version for f in found] == [1, 1] and EntrySegmentStart.objects.count() == 5


@committing
def test_two_officials_publishing_at_once_make_one_version(stage: Stage, official: User) -> None:
    open_stage(stage, official)
    use(stage, "manual", order=[5, 4, 3, 2, 1])
    found = at_once(lambda: republish(stage, official, "reversed"))
    assert {f.list.version for f in found} == {2} and sorted(len(f.moves) for f in found) == [0, 4]


@committing
def test_the_scorer_follows_the_list(official: User, redis: Redis) -> None:
    """From the list to the stage time: a standing start is the assigned instant, whatever GPS says (5.1)."""
    driven = rally.build(2)
    stage = Stage.objects.get(id=driven.stage_id)
    Segment.objects.filter(stage=stage).update(start_from=StartFrom.ASSIGNED)
    stream.send(redis, "telemetry:t", rally.drive(driven, random.Random(7)))
    processor(redis).run_until_idle()
    open_stage(stage, official)
    scorer(redis).run_until_idle()
    first = dict(StageResult.objects.values_list("entry__race_number", "time_ms"))
    reposition(stage, driven.entries[1], Where(start_at=stage.starts_at + MINUTE / 2), "beam", official)
    republish(stage, official, "302 was sent off half a minute early")
    scorer(redis).run_until_idle()
    then = dict(StageResult.objects.values_list("entry__race_number", "time_ms"))
    assert first[302] is not None and (then[301], then[302]) == (first[301], first[302] + 30_000)


def at_once(act: Any) -> list[Any]:
    """What two threads get that act at the same instant, each on a connection of its own."""
    found: list[Any] = []
    barrier = threading.Barrier(2)

    def run() -> None:
        barrier.wait(5)
        try:
            found.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 2
    return found
