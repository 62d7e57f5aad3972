"""A published revision never changes, and recomputes to the same from its snapshot and the positions."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from redis import Redis

from apps.accounts.models import User
from apps.common import stream
from apps.common.position import Position
from apps.course.models import Stage, Waypoint
from apps.penalties.models import PenaltyFormula
from apps.scoring import snapshot
from apps.scoring.decisions import Draft, decide
from apps.scoring.models import ResultRevision, StageResult
from apps.scoring.revisions import Publication, publish, verify, would_change
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor, race, scorer
from apps.scoring.upkeep import keep_up
from apps.scoring.watchdog import again, look, sample

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def driven(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> rally.Rally:
    monkeypatch.setattr(snapshot, "SETTLED", timedelta(0))  # nobody writes beside the test
    return race(redis, rally.build())


def of_stage(driven: rally.Rally, state: str, reason: str = "", minutes: int = 30) -> Publication:
    return Publication(driven.event, state, Stage.objects.get(id=driven.stage_id), reason, minutes)


def test_the_way_from_unofficial_to_official_and_an_amendment(driven: rally.Rally, official: User) -> None:
    states = [("unofficial", ""), ("provisional", ""), ("official", ""), ("amended", "A protest was upheld")]
    for number, (state, reason) in enumerate(states, start=1):
        revision = publish(of_stage(driven, state, reason, minutes=0), official)
        assert (revision.number, revision.state, revision.published_by) == (number, state, official)
        assert len(revision.hash) == 64
    whole = publish(Publication(driven.event, "provisional"), official)
    assert (whole.number, whole.stage) == (1, None)
    assert [line["rank"] for line in whole.snapshot["results"]] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("before", "state", "message"),
    [
        ([], "official", "After nothing comes provisional, unofficial"),
        (["provisional"], "unofficial", "After provisional comes amended, official"),
        (["provisional"], "official", "Protests are heard until"),
        (["provisional"], "amended", "Say why"),
        ([], "final", "no state final"),
    ],
)
def test_a_step_out_of_order_is_refused(
    driven: rally.Rally, official: User, before: list[str], state: str, message: str
) -> None:
    for earlier in before:
        publish(of_stage(driven, earlier), official)
    with pytest.raises(ValidationError, match=message):
        publish(of_stage(driven, state), official)
    assert ResultRevision.objects.count() == len(before)


def test_a_rule_without_a_value_stops_publication(driven: rally.Rally, official: User) -> None:
    PenaltyFormula.objects.create(event=driven.event, type="speed_zone", offence_min=41, penalty=None)
    with pytest.raises(ValidationError, match="Speeding in a zone 41–∞: the rule is in force and has no value yet"):
        publish(of_stage(driven, "unofficial"), official)


def test_what_the_board_does_not_show_yet_is_not_published(driven: rally.Rally, official: User) -> None:
    PenaltyFormula.objects.filter(type="missed_waypoint").update(penalty=60)
    with pytest.raises(ValidationError, match="number 302"):
        publish(of_stage(driven, "unofficial"), official)
    list(keep_up(str(driven.event.id)))
    publish(of_stage(driven, "unofficial"), official)


def test_a_snapshot_of_before_events_said_how_large_teams_are_is_still_read(
    driven: rally.Rally, official: User
) -> None:
    held = publish(of_stage(driven, "provisional"), official).snapshot
    del held["plan"]["team_size"]
    assert snapshot.recompute(held) == held["results"]


def test_a_revision_recomputes_to_the_same_whatever_came_after(
    driven: rally.Rally, official: User, redis: Redis
) -> None:
    """Rules, course, decisions, flags and fixes that came later change the live result, and not this one."""
    finish = StageResult.objects.get(entry=driven.entries[0]).outcome["segments"][0]["finish_ts"]
    window = {"device": driven.imeis[3], "from_ts": finish - 90_000, "to_ts": finish - 80_000}
    stage = Stage.objects.get(id=driven.stage_id)
    decide(Draft(driven.event, "faulty_fixes", window, "Jump", entry=driven.entries[3], stage=stage), official)
    list(keep_up(str(driven.event.id)))
    revision = publish(of_stage(driven, "provisional"), official)
    assert verify(revision) == [] and would_change(revision) == []
    PenaltyFormula.objects.filter(type="missed_waypoint").update(penalty=60)
    Waypoint.objects.filter(type="WPS").update(tolerance_meters=5)
    window = {"device": driven.imeis[0], "from_ts": finish - 9000, "to_ts": finish + 9000}
    decide(Draft(driven.event, "faulty_fixes", window, "Jump", entry=driven.entries[0], stage=stage), official)
    late = Position(driven.imeis[1], finish, rally.LAT, rally.LON, satellites=9)
    stream.send(redis, "telemetry:t", [late])
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()
    revision.refresh_from_db()
    assert verify(revision) == []
    changed = {change.race_number: change.changes for change in would_change(revision)}
    assert changed[301]["status"] == ("finished", "running")
    assert "penalty_ms" in changed[302]


def test_nobody_changes_a_published_revision(driven: rally.Rally, official: User) -> None:
    revision = publish(of_stage(driven, "unofficial"), official)
    with pytest.raises(IntegrityError, match="is published"):
        ResultRevision.objects.filter(pk=revision.pk).update(state="official")


def test_the_command_says_what_it_verified_and_what_it_cannot(driven: rally.Rally, official: User) -> None:
    revision = publish(of_stage(driven, "unofficial"), official)
    out = StringIO()
    call_command("verify_revision", driven.event.slug, stage="Stage 1", stdout=out)
    assert "5 lines recomputed to the same" in out.getvalue() and revision.hash in out.getvalue()
    with connection.cursor() as cursor:  # somebody takes a fix away
        cursor.execute("delete from positions where device_id = %s", [driven.imeis[0]])
    with pytest.raises(CommandError, match="number 301: status finished"):
        call_command("verify_revision", driven.event.slug, stage="Stage 1", stdout=out)
    with pytest.raises(CommandError, match="no such revision"):
        call_command("verify_revision", driven.event.slug, stdout=out)


def test_the_watchdog_finds_a_result_that_is_not_what_its_fixes_say(driven: rally.Rally) -> None:
    places = sample([str(driven.event.id)], 10)
    assert len(places) == 5 and list(look(places)) == []
    StageResult.objects.filter(entry=driven.entries[2]).update(inputs_hash="0" * 64)
    (stale,) = look(places)
    assert stale.race_number == 303
    assert again([stale]) == [stale]


def test_what_was_only_not_scored_yet_is_no_fault_at_the_second_look(driven: rally.Rally) -> None:
    StageResult.objects.filter(entry=driven.entries[2]).update(inputs_hash="0" * 64)
    suspects = list(look(sample([str(driven.event.id)], 10)))
    StageResult.objects.filter(entry=driven.entries[2]).update(inputs_hash=suspects[0].by_evidence)
    assert again(suspects) == []
