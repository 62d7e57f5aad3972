"""From fixes in the table to results: on real PostgreSQL."""

import random
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from redis import Redis

from apps.common import stream
from apps.course.factories import SegmentFactory, StageFactory
from apps.course.models import SpeedLimitZone, Waypoint
from apps.penalties.models import EntryPenalty
from apps.scoring import queries
from apps.scoring.models import EventResult, OutboxRow, StageResult
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor, race, scorer

pytestmark = pytest.mark.django_db(transaction=True)
STREAM = "telemetry:t"


def test_everyone_is_timed_and_ranked(driven: rally.Rally) -> None:
    results = list(StageResult.objects.order_by("rank"))
    assert [r.rank for r in results] == [1, 2, 3, 4, 5]
    assert all(r.status == "finished" and r.total_ms is not None for r in results)
    totals = [r.total_ms or 0 for r in results]
    assert totals == sorted(totals)
    assert {r.class_rank for r in results} == {1, 2, 3}
    assert list(EventResult.objects.order_by("rank").values_list("total_ms", flat=True)) == totals


def test_the_one_who_missed_and_the_one_who_sped_are_penalised(driven: rally.Rally) -> None:
    found = {(p.entry.race_number, p.type): p for p in EntryPenalty.objects.select_related("entry")}
    assert set(found) == {(302, "missed_waypoint"), (303, "speed_zone")}
    assert found[302, "missed_waypoint"].seconds == 900
    speeding = found[303, "speed_zone"]
    assert speeding.seconds == 60 and speeding.inputs["excess_kmh"] == 15
    assert speeding.formula_snapshot["offence_max"] == 20  # the rule as it was, frozen with the penalty


def test_the_outbox_counts_each_topic_without_a_gap(driven: rally.Rally) -> None:
    topics = {f"leaderboard:{driven.event.id}", f"leaderboard:{driven.event.id}:{driven.stage_id}"}
    assert set(OutboxRow.objects.values_list("topic", flat=True)) == topics
    for topic in topics:
        seqs = list(OutboxRow.objects.filter(topic=topic).order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, len(seqs) + 1))


def test_a_board_carries_the_number_of_its_last_change(driven: rally.Rally) -> None:
    seq, lines = queries.board(f"leaderboard:{driven.event.id}:{driven.stage_id}")
    assert seq == OutboxRow.objects.filter(topic__endswith=driven.stage_id).count()
    assert [line["rank"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[0]["raceNumber"] and lines[0]["classCode"] and lines[0]["totalMs"]


def test_the_changes_replayed_give_the_board(driven: rally.Rally) -> None:
    """Protects every viewer: snapshot and changes must tell one story."""
    topic = f"leaderboard:{driven.event.id}:{driven.stage_id}"
    seen: dict[str, Any] = {}
    for row in OutboxRow.objects.filter(topic=topic).order_by("seq"):
        seen |= {line["entryId"]: line for line in row.payload["changes"]}
    assert seen == {line["entryId"]: line for line in queries.board(topic)[1]}


def test_scoring_again_what_has_not_changed_changes_nothing(driven: rally.Rally, redis: Redis) -> None:
    before, outbox = rally.readings(), OutboxRow.objects.count()
    stream.request(redis, "rules", event_id=str(driven.event.id))
    scorer(redis).run_until_idle()
    assert rally.readings() == before and OutboxRow.objects.count() == outbox


def test_a_faulty_fix_and_a_moved_waypoint_are_read_anew(driven: rally.Rally, redis: Redis) -> None:
    """Late fixes, flags and edits are the same act: looking again."""
    Waypoint.objects.filter(type="WPM").update(latitude=rally.LAT + 0.0015)
    stream.request(redis, "course", event_id=str(driven.event.id))
    scorer(redis).run_until_idle()
    missed = EntryPenalty.objects.filter(type="missed_waypoint").values_list("entry__race_number", flat=True)
    assert sorted(missed) == [301, 303, 304, 305]


def test_a_crew_that_is_not_competing_is_timed_but_never_ranked(redis: Redis) -> None:
    built = rally.build()
    built.entries[0].competing = False
    built.entries[0].save()
    race(redis, built)
    assert StageResult.objects.get(entry=built.entries[0]).rank is None
    assert StageResult.objects.exclude(rank=None).count() == 4
    assert str(built.entries[0].id) not in str(queries.board(f"leaderboard:{built.event.id}"))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"reason": "fixes", "windows": "{"}, b"windows"),
        ({"reason": "fixes", "windows": '[["x", 5, 4]]'}, b"ends before it begins"),
        ({"reason": "whim"}, b"reason: 'whim'"),
        ({"reason": "course"}, b"event_id: missing"),
        ({"reason": "course", "event_id": "seven"}, b"event_id"),
    ],
)
def test_a_request_nobody_can_work_off_is_put_aside(redis: Redis, fields: dict[str, Any], reason: bytes) -> None:
    redis.xadd(stream.REQUESTS_STREAM, fields)  # type: ignore[arg-type]
    scorer(redis).run_until_idle()
    [letter] = stream.entries(redis, stream.dead_letters(stream.REQUESTS_STREAM))
    assert reason in letter.fields[b"error"]


def test_a_device_nobody_carries_is_no_fault(redis: Redis) -> None:
    stream.announce(redis, [("999", 0, 1)])
    scorer(redis).run_until_idle()
    assert StageResult.objects.count() == 0


def test_a_broken_course_holds_up_no_other_event(redis: Redis) -> None:
    """Geometry written round the admin's checks must not stop the scorer."""
    broken, whole = rally.build(), rally.build()
    ring = [[20, 41], [21, 42], [21, 41], [20, 42], [20, 41]]  # a bow tie
    zones = SpeedLimitZone.objects.filter(segment__stage__event=broken.event)
    zones.update(geometry={"type": "Polygon", "coordinates": [ring]})
    for built in (broken, whole):
        stream.send(redis, STREAM, rally.drive(built, random.Random(7)))
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()
    assert set(StageResult.objects.values_list("stage__event", flat=True)) == {whole.event.id}
    zones.update(geometry=rally.zone(1500, 2500))
    stream.request(redis, "course", event_id=str(broken.event.id))
    scorer(redis).run_until_idle()
    assert StageResult.objects.filter(stage__event=broken.event, status="finished").count() == 5


def test_a_crew_between_two_stages_has_not_finished_the_event(redis: Redis) -> None:
    built = rally.build()
    later = StageFactory(event=built.event, starts_at=rally.START + timedelta(days=1))
    SegmentFactory(stage=later)
    race(redis, built)
    assert set(EventResult.objects.values_list("status", flat=True)) == {"running"}


def test_two_scorers_never_work_on_one_entry_at_once(redis: Redis) -> None:
    """The second waits for the first one's transaction, then reads what it wrote (design §1)."""
    built = rally.build(entries=1)
    stream.send(redis, STREAM, rally.drive(built, random.Random(7)))
    processor(redis).run_until_idle()
    second = threading.Thread(target=score_in_a_connection_of_its_own, args=[redis])
    with transaction.atomic():
        queries.lock("entry", [str(built.entries[0].id)])
        second.start()
        second.join(1)
        assert second.is_alive(), "it did not wait"
    second.join(20)
    assert not second.is_alive() and StageResult.objects.get().status == "finished"


def score_in_a_connection_of_its_own(redis: Redis) -> None:
    try:
        scorer(redis).run_until_idle()
    finally:
        connection.close()
