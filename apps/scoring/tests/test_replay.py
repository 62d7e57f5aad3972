"""Replays: what is on record comes out again; a new course is proved with a past race; nothing is touched."""

import json
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from django.db import connection
from redis import Redis

from apps.catalog.models import Device
from apps.course.models import Stage, Waypoint
from apps.events.models import Event
from apps.scoring.models import StageResult
from apps.scoring.replay import Tape, board, competing_entries, run
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor, scorer
from apps.scoring.upkeep import keep_up

pytestmark = pytest.mark.django_db(transaction=True)


def replay(*words: str) -> str:
    out = StringIO()
    call_command("replay", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def positions() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("select positions, xmin from positions order by device_id, ts")
        return list(cursor.fetchall())


def test_it_comes_to_what_is_on_record_and_touches_nothing(driven: rally.Rally) -> None:
    before = positions(), rally.readings()
    assert replay(driven.event.slug) == "It comes to what is on record.\n"
    assert (positions(), rally.readings()) == before


def test_after_a_change_of_the_course_it_shows_the_difference(driven: rally.Rally) -> None:
    """Readings on record stand until they are scored again; the second crew missed the waypoint."""
    Waypoint.objects.filter(type="WPM").update(tolerance_meters=400)
    (stage, overall) = [json.loads(line) for line in replay(driven.event.slug, "--entry", "302", "--json").splitlines()]
    assert stage["number"] == 302 and stage["changes"]["penalty_ms"] == [900_000, 0]
    assert overall["stage"] == ""


def other_course(slug: str) -> Event:
    """The same course a year later, with the waypoint where nobody was."""
    course = rally.build(entries=0).event
    Event.objects.filter(id=course.id).update(slug=slug)
    Stage.objects.filter(event=course).update(starts_at=rally.START + timedelta(days=365))
    Waypoint.objects.filter(segment__stage__event=course, type="WPM").update(latitude=42.0)
    return course


def test_a_new_course_is_proved_with_a_past_race(driven: rally.Rally) -> None:
    course = other_course("next-year")
    shown = replay("next-year", "--of", driven.event.slug, "--align", rally.START.isoformat())
    assert "Nobody reached" in shown and "WPM 1000" in shown
    tape = Tape(
        str(course.id), str(driven.event.id), competing_entries(str(driven.event.id)), shift_ms=365 * 86_400_000
    )
    (rows,) = board(tape.course, run(tape)).stages.values()
    times = {one.race_number: one.time_ms for _, one in rows}
    assert times == dict(StageResult.objects.values_list("entry__race_number", "time_ms"))
    assert [ranked.rank for ranked, _ in rows] == [1, 2, 3, 4, 5]


def test_bare_trackers_are_replayed_without_any_entry(driven: rally.Rally) -> None:
    rows = [json.loads(x) for x in replay(driven.event.slug, "--device", driven.imeis[0], "--json").splitlines()]
    assert [row["time_ms"] for row in rows] == [StageResult.objects.get(entry=driven.entries[0]).time_ms]


def test_only_a_stretch_of_time_counts(driven: rally.Rally) -> None:
    cut = (rally.START + timedelta(minutes=2)).isoformat()
    rows = [json.loads(x) for x in replay(driven.event.slug, "--until", cut, "--json").splitlines()]
    assert any(row["changes"]["status"] == ["finished", "running"] for row in rows if "status" in row["changes"])


def test_workers_find_the_same(driven: rally.Rally, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.scoring import tasks

    class Result:
        def __init__(self, value: Any) -> None:
            self.result = json.loads(json.dumps(value))  # as it travels

        def ready(self) -> bool:
            return True

        def successful(self) -> bool:
            return True

        def failed(self) -> bool:
            return False

    monkeypatch.setattr("apps.scoring.replay.ENTRIES_AT_ONCE", 2)
    served = {"w": [{"name": "bulk"}]}
    monkeypatch.setattr(current_app.control, "inspect", lambda timeout: SimpleNamespace(active_queues=lambda: served))
    monkeypatch.setattr(
        current_app, "send_task", lambda name, args, queue: Result(tasks.replay(json.loads(json.dumps(args[0]))))
    )
    course = other_course("by-workers")
    words = ["by-workers", "--of", driven.event.slug, "--align", rally.START.isoformat(), "--json"]
    assert replay(*words, "--workers") == replay(*words)
    assert course.id


def test_without_a_worker_it_says_so(driven: rally.Rally) -> None:
    with pytest.raises(CommandError, match="no worker answers"):
        replay(driven.event.slug, "--workers")


def test_a_scratch_event_shows_the_race_again_and_goes_without_a_trace(driven: rally.Rally, redis: Redis) -> None:
    before = positions(), rally.readings()
    assert "trackers sent into again." in replay(driven.event.slug, "--into", "again")
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()
    copy = Event.objects.get(slug="again")
    list(keep_up(str(copy.id)))
    fields = ("entry__race_number", "stage__name", "status", "time_ms", "penalty_ms", "total_ms", "rank", "class_rank")
    results = [
        sorted(StageResult.objects.filter(entry__event=event).values_list(*fields)) for event in (driven.event, copy)
    ]
    assert results[0] == results[1] and len(results[0]) == 5
    with pytest.raises(CommandError, match="has an event 'again'"):
        replay(driven.event.slug, "--into", "again")
    replay("again", "--remove")
    assert (positions(), rally.readings()) == before
    assert Device.objects.count() == 5
    with pytest.raises(CommandError, match="is no scratch event"):
        replay(driven.event.slug, "--remove")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "0 events"),
        (["--entry", "7"], "no race number 7"),
        (["--align", "2026-01-01"], "another event"),
        (["--speed", "nan"], "--speed"),
    ],
)
def test_what_is_wrong_is_said(driven: rally.Rally, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        replay(*([driven.event.slug, *words] if words[0].startswith("--") else words))
