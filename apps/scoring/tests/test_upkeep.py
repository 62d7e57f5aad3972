"""Nothing stale: an edit by any door is scored without anybody asking."""

import pytest
from django.db import connection

from apps.course.models import Waypoint
from apps.events.models import Entry, Event
from apps.penalties.models import PenaltyFormula
from apps.scoring import queries
from apps.scoring.models import EventResult, StageResult
from apps.scoring.tests import rally
from apps.scoring.upkeep import keep_up
from apps.timing.factories import TimingRecordFactory

pytestmark = pytest.mark.django_db(transaction=True)


def news(driven: rally.Rally) -> int:
    """How many times the scorer worked."""
    return len(list(keep_up(str(driven.event.id))))


def test_without_an_edit_there_is_nothing_to_do(driven: rally.Rally) -> None:
    news(driven)
    assert news(driven) == 0


def test_an_edit_of_a_rule_by_raw_sql_changes_every_penalty_it_prices(driven: rally.Rally) -> None:
    news(driven)
    with connection.cursor() as cursor:
        cursor.execute("update penalty_formulas set penalty = 60 where type = 'missed_waypoint'")
    assert news(driven) == 1
    assert StageResult.objects.get(entry=driven.entries[1]).penalty_ms == 60_000
    assert PenaltyFormula.objects.filter(penalty=60).exists()


def test_a_moved_waypoint_is_looked_for_again_in_the_fixes(driven: rally.Rally) -> None:
    news(driven)
    Waypoint.objects.filter(type="WPM").update(tolerance_meters=400)
    news(driven)
    assert StageResult.objects.get(entry=driven.entries[1]).penalty_ms == 0


def test_a_time_written_by_hand_counts_and_touches_its_entry_alone(driven: rally.Rally) -> None:
    news(driven)
    before = {str(r.entry_id): r.inputs_hash for r in StageResult.objects.all()}
    held = StageResult.objects.get(entry=driven.entries[3])
    finish = Waypoint.objects.get(type="ASS")
    ts = held.outcome["segments"][0]["finish_ts"]
    TimingRecordFactory(entry=driven.entries[3], control=finish.id, source="beam", ts=rally.instant(ts - 400))
    news(driven)
    now = StageResult.objects.get(entry=driven.entries[3])
    assert now.outcome["segments"][0]["finish_ts"] == ts - 400
    changed = {str(r.entry_id) for r in StageResult.objects.all() if r.inputs_hash != before[str(r.entry_id)]}
    assert changed == {str(driven.entries[3].id)}


def test_an_entry_that_withdraws_is_seen(driven: rally.Rally) -> None:
    news(driven)
    Entry.objects.filter(id=driven.entries[0].id).update(status="dsq")
    news(driven)
    assert StageResult.objects.get(entry=driven.entries[0]).status == "dsq"


def test_of_two_scorers_one_looks_after_an_event(driven: rally.Rally) -> None:
    with queries.leading("upkeep", str(driven.event.id)) as first:
        assert first
        assert advisory_locks() == 1
    assert advisory_locks() == 0


def advisory_locks() -> int:
    """Those of this database: another one's tests run beside these."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_locks where locktype = 'advisory'"
            " and database = (select oid from pg_database where datname = current_database())"
        )
        return int(cursor.fetchone()[0])


def test_ranks_follow_a_class_and_a_tie_rule_though_no_result_changes(driven: rally.Rally) -> None:
    """A crew moves to another class after the start; the tie rule of the event is corrected."""
    list(keep_up(str(driven.event.id)))
    moved, stayed = driven.entries[0], driven.entries[1]
    Entry.objects.filter(id=moved.id).update(race_class=stayed.race_class)
    list(keep_up(str(driven.event.id)))
    ranks = StageResult.objects.filter(entry__race_class=stayed.race_class).order_by("rank")
    assert list(ranks.values_list("class_rank", flat=True)) == [1, 2, 3]
    StageResult.objects.update(total_ms=500_000, splits=[500_000])
    Event.objects.filter(id=driven.event.id).update(tie_rule="shared")
    list(keep_up(str(driven.event.id)))
    assert set(EventResult.objects.values_list("rank", flat=True)) == {1}
