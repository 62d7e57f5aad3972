"""Decisions lie over the readings, survive every recompute, and come off again."""

import random
from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from redis import Redis

from apps.accounts.models import User
from apps.common import stream
from apps.course.models import Stage, Waypoint
from apps.penalties.models import Decision, EntryPenalty, PenaltyStatus
from apps.scoring.decisions import Draft, decide, revoke
from apps.scoring.models import StageResult
from apps.scoring.services import Again, score_again
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor, scorer
from apps.scoring.upkeep import keep_up

pytestmark = pytest.mark.django_db(transaction=True)


def draft(driven: rally.Rally, kind: str, nth: int = 1, **params: object) -> Draft:
    """A decision about the nth entry in the stage: entry 1 missed the WPM."""
    stage = Stage.objects.get(id=driven.stage_id)
    return Draft(driven.event, kind, params, "The board stood wrong", entry=driven.entries[nth], stage=stage)


def result(driven: rally.Rally, nth: int = 1) -> StageResult:
    return StageResult.objects.get(entry=driven.entries[nth])


def caught_up(driven: rally.Rally) -> int:
    """Let the scorer see what was edited; how many batches had news."""
    return sum(1 for topics in keep_up(str(driven.event.id)) if topics)


def everything(driven: rally.Rally) -> Iterator[object]:
    return score_again(Again(str(driven.event.id)))


def missed_key() -> str:
    return EntryPenalty.objects.get(type="missed_waypoint").key


def test_a_waived_penalty_stays_visible_through_a_recompute_and_counts_again_when_revoked(
    driven: rally.Rally, official: User
) -> None:
    before = result(driven)
    decision = decide(draft(driven, "waive_penalty", key=missed_key()), official)
    caught_up(driven)
    list(everything(driven))
    penalty = EntryPenalty.objects.get(type="missed_waypoint")
    assert (penalty.status, penalty.author, penalty.reason) == (PenaltyStatus.WAIVED, official, "The board stood wrong")
    assert (result(driven).penalty_ms, result(driven).total_ms) == (0, before.time_ms)
    revoke(decision, official, "It stood right after all")
    caught_up(driven)
    assert result(driven).total_ms == before.total_ms
    assert EntryPenalty.objects.get(type="missed_waypoint").status == PenaltyStatus.PROPOSED


@pytest.mark.parametrize(
    ("kind", "params", "penalty_ms"),
    [("edit_penalty", {"ms": 300_000}, 300_000), ("impose_penalty", {"ms": 60_000}, 960_000)],
)
def test_penalties_are_changed_and_imposed(
    driven: rally.Rally, official: User, kind: str, params: dict[str, int], penalty_ms: int
) -> None:
    key = {"key": missed_key()} if kind == "edit_penalty" else {}
    decide(draft(driven, kind, 1, **{**key, **params}), official)
    caught_up(driven)
    assert result(driven).penalty_ms == penalty_ms


def test_time_given_back_and_notional_times(driven: rally.Rally, official: User) -> None:
    segment = str(Stage.objects.get(id=driven.stage_id).segments.get().id)
    before = result(driven, 3).time_ms or 0
    decide(draft(driven, "time_credit", 3, segment=segment, ms=10_000), official)
    decide(draft(driven, "notional_time", 4, segment=segment, ms=123_000), official)
    caught_up(driven)
    assert result(driven, 3).time_ms == before - 10_000
    assert result(driven, 4).time_ms == 123_000


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("time_credit", {"segment": "nosuch", "ms": 1000}, "segment: nosuch is no segment of this stage"),
        ("confirm_time", {"control": "nosuch", "ts": 1}, "control: nosuch is no control of this event"),
    ],
)
def test_a_decision_about_nothing_is_refused(
    driven: rally.Rally, official: User, kind: str, params: dict[str, object], message: str
) -> None:
    """It would be kept, signed and never followed, and nobody would be told."""
    with pytest.raises(ValidationError, match=message):
        decide(draft(driven, kind, 1, **params), official)


def test_a_confirmed_time_beats_the_crossing(driven: rally.Rally, official: User) -> None:
    finish = Waypoint.objects.get(type="ASS")
    held = result(driven, 3).outcome["segments"][0]
    decide(
        draft(driven, "confirm_time", 3, control=str(finish.id), ts=held["finish_ts"] + 5000),
        official,
    )
    caught_up(driven)
    now = result(driven, 3).outcome["segments"][0]
    assert (now["finish_ts"], now["finish_source"]) == (held["finish_ts"] + 5000, "timekeeper")
    assert any("GPS differs by -5 s" in review for review in now["reviews"])


def test_a_disqualified_entry_has_no_rank_and_the_others_close_up(driven: rally.Rally, official: User) -> None:
    first = StageResult.objects.get(rank=1)
    nth = [str(e.id) for e in driven.entries].index(str(first.entry_id))
    decide(draft(driven, "set_status", nth, status="dsq"), official)
    caught_up(driven)
    assert result(driven, nth).rank is None
    assert set(StageResult.objects.exclude(rank=None).values_list("rank", flat=True)) == {1, 2, 3, 4}


def test_fixes_of_an_unknown_tracker_cannot_be_faulty(driven: rally.Rally, official: User) -> None:
    """A digit mistyped would leave the crossing in place, and the official sure that it is gone."""
    with pytest.raises(ValidationError, match="No tracker 356"):
        decide(draft(driven, "faulty_fixes", 0, device="356", from_ts=1, to_ts=2), official)


def test_faulty_fixes_take_a_crossing_away_and_late_ones_in_the_window_too(
    driven: rally.Rally, official: User, redis: Redis
) -> None:
    finish = result(driven, 0).outcome["segments"][0]["finish_ts"]
    window = {"device": driven.imeis[0], "from_ts": finish - 30_000, "to_ts": finish + 30_000}
    decision = decide(draft(driven, "faulty_fixes", 0, **window), official)
    caught_up(driven)
    assert result(driven, 0).status == "running"
    with connection.cursor() as cursor:  # the tracker sends the window once more, as if it had never arrived
        cursor.execute("delete from positions where device_id = %s and faulty", [driven.imeis[0]])
    again = [fix for fix in rally.drive(driven, random.Random(7)) if fix.device_id == driven.imeis[0]]
    stream.send(redis, "telemetry:t", again)
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()
    assert result(driven, 0).status == "running"
    revoke(decision, official, "The antenna was well")
    caught_up(driven)
    assert result(driven, 0).outcome["segments"][0]["finish_ts"] == finish


def test_decisions_are_numbered_and_a_wrong_one_leaves_nothing(driven: rally.Rally, official: User) -> None:
    decide(draft(driven, "set_status", status="dnf"), official)
    with pytest.raises(ValidationError, match="status: 'late' is not a status"):
        decide(draft(driven, "set_status", status="late"), official)
    with pytest.raises(ValidationError, match="about one entry"):
        decide(Draft(driven.event, "set_status", {"status": "dsq"}, "All"), official)
    with pytest.raises(ValidationError, match="reason"):
        decide(Draft(driven.event, "set_status", {"status": "dsq"}, "", entry=driven.entries[0]), official)
    second = decide(draft(driven, "set_status", 2, status="dnf"), official)
    assert (second.number, Decision.objects.count()) == (2, 2)


def test_a_decision_is_revoked_once_and_with_a_reason(driven: rally.Rally, official: User) -> None:
    decision = decide(draft(driven, "set_status", status="dnf"), official)
    with pytest.raises(ValidationError, match="Say why"):
        revoke(decision, official, " ")
    revoke(decision, official, "Wrong number")
    with pytest.raises(ValidationError, match="revoked before"):
        revoke(decision, official, "Again")
