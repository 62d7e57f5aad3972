"""Celery: the schedule names tasks there are, nothing bulky stands before an official's act, and twice is as once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.contrib.sessions.models import Session

from apps.accounts.tasks import forget_sessions, sync_roles
from apps.integrations.factories import DomainEventFactory
from apps.integrations.models import DomainEvent
from apps.integrations.tasks import prune_domain_events
from apps.scoring import tasks as scoring_tasks
from apps.scoring import watchdog
from apps.scoring.watchdog import Stale
from apps.telemetry.partitions import BusyError, Plan, Policy
from apps.telemetry.tasks import maintain_positions

SCHEDULE: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE


@pytest.fixture(scope="module", autouse=True)
def _registered() -> None:
    current_app.loader.import_default_modules()


@pytest.mark.parametrize("name", SCHEDULE)
def test_what_is_scheduled_is_a_task_and_does_not_pile_up(name: str) -> None:
    entry = SCHEDULE[name]
    assert entry["task"] in current_app.tasks
    assert entry["options"]["expires"] < _interval(entry["schedule"]).total_seconds()


def _interval(schedule: Any) -> timedelta:
    """The least time between two turns of a crontab within a day."""
    turns = [timedelta(hours=hour, minutes=minute) for hour in schedule.hour for minute in schedule.minute]
    turns = sorted(turns)
    return min([b - a for a, b in zip(turns, turns[1:], strict=False)] or [timedelta(days=1)])


def test_upkeep_never_stands_before_an_officials_act() -> None:
    queues = {settings.CELERY_TASK_ROUTES[entry["task"]]["queue"] for entry in SCHEDULE.values()}
    assert queues == {"bulk"}


def test_every_route_leads_from_a_task_there_is() -> None:
    assert set(settings.CELERY_TASK_ROUTES) <= set(current_app.tasks)


def test_a_task_ends_before_it_is_given_to_another_worker() -> None:
    options = current_app.conf
    assert options.task_soft_time_limit < options.task_time_limit
    assert options.task_time_limit < options.broker_transport_options["visibility_timeout"]
    assert options.task_acks_late and options.task_reject_on_worker_lost


@pytest.mark.django_db(transaction=True)
def test_upkeep_done_twice_is_as_done_once() -> None:
    for _ in range(2):
        assert maintain_positions.apply().get() is True
        assert sync_roles.apply().get() >= 0
        assert scoring_tasks.check_results.apply(args=(5,)).get() == []
    assert sync_roles.apply().get() == 0


def test_partitions_are_left_to_whoever_is_at_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(policy: Policy, now: datetime) -> Plan:
        raise BusyError("another process is at it")

    monkeypatch.setattr("apps.telemetry.tasks.maintain", busy)
    assert maintain_positions.apply().get() is False


@pytest.mark.django_db
def test_old_sessions_go_and_others_stay() -> None:
    now = datetime.now(UTC)
    Session.objects.create(session_key="old", session_data="", expire_date=now - timedelta(days=1))
    Session.objects.create(session_key="new", session_data="", expire_date=now + timedelta(days=1))
    forget_sessions.apply().get()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["new"]


@pytest.mark.django_db
def test_old_domain_events_go_and_untold_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.integrations.tasks.AT_ONCE", 2)
    old = datetime.now(UTC) - timedelta(days=settings.DOMAIN_EVENTS_RETENTION_DAYS + 1)
    DomainEvent.objects.all().delete()
    for _ in range(5):
        DomainEventFactory(relayed_at=old)
    untold = DomainEventFactory(relayed_at=None)
    assert prune_domain_events.apply().get() == 5
    assert list(DomainEvent.objects.values_list("id", flat=True)) == [untold.id]
    assert prune_domain_events.apply().get() == 0


@pytest.mark.django_db
def test_only_what_a_second_look_finds_too_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    late, wrong = (Stale("event", "stage", "entry", number, "a", "b") for number in (301, 302))
    monkeypatch.setattr(scoring_tasks, "SECOND_LOOK_S", 0)
    monkeypatch.setattr(watchdog, "look", lambda places: [late, wrong])
    monkeypatch.setattr(watchdog, "again", lambda suspects: [wrong])
    assert scoring_tasks.check_results.apply(args=(5,)).get() == ["number 302 in stage stage"]
