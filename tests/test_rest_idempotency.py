"""A key that comes twice at the same time, or again after a crash: done once, answered alike."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from apps.events.factories import EventFactory
from apps.events.models import Event, RaceClass
from apps.rest import idempotency
from apps.rest.models import IdempotencyKey
from apps.rest.tests.client import Answer, Api, official

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_url")]
WAIT_S = 20


@pytest.fixture
def event() -> Event:
    return EventFactory(is_public=False)


@pytest.fixture
def director(event: Event) -> Api:
    return official(event.organization, "race-director")


class Gate:
    """Holds the first act that reaches it, once its work is done, until it is let go; then it may fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self._once, self._error = idempotency.once, error
        monkeypatch.setattr(idempotency, "once", self._held)

    def _held(self, key: str, request: Any, user: Any, act: Callable[[], Any]) -> Any:
        def slowly() -> Any:
            answer = act()
            if not self.reached.is_set():
                self.reached.set()
                assert self.open.wait(WAIT_S)
                if self._error is not None:
                    raise self._error
            return answer

        return self._once(key, request, user, slowly)


def post(api: Api, event: Event) -> Answer:
    try:
        return api.post("classes", {"event": str(event.id), "code": "M-1", "name": "Moto"}, Idempotency_Key="k")
    finally:
        connection.close()


def both(gate: Gate, api: Api, event: Event) -> tuple["Future[Answer]", "Future[Answer]"]:
    """Two requests, the second sent while the first is at work."""
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(post, api, event)
        assert gate.reached.wait(WAIT_S)
        second = threads.submit(post, api, event)
        _await_waiting()
        assert not second.done()
        gate.open.set()
    return first, second


def _await_waiting() -> None:
    """Until a connection waits for another's transaction: the second has asked for the key."""
    deadline = threading.Event()
    for _ in range(WAIT_S * 50):
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                           " and datname = current_database()")  # fmt: skip
            if cursor.fetchone()[0]:
                return
        deadline.wait(0.02)
    raise AssertionError("the second request does not wait")


def test_the_second_waits_and_gets_the_answer_of_the_first(
    event: Event, director: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = both(Gate(monkeypatch), director, event)
    assert first.result().status == second.result().status == 201
    assert first.result().content == second.result().content
    assert "Idempotency-Replayed" in second.result().headers
    assert RaceClass.objects.count() == 1


def test_where_the_first_dies_the_second_does_the_work(
    event: Event, director: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch, RuntimeError("dies before it commits"))
    first, second = both(gate, Api(director.user, raises=False), event)
    assert first.result().status == 500
    assert second.result().status == 201
    assert "Idempotency-Replayed" not in second.result().headers
    assert RaceClass.objects.count() == 1


def test_a_key_is_kept_a_day_and_forgotten_after_two(event: Event, director: Api) -> None:
    assert post(director, event).status == 201
    held = IdempotencyKey.objects.get()
    later(held, hours=idempotency.KEPT_HOURS - 1)
    assert "Idempotency-Replayed" in post(director, event).headers
    later(held, hours=2)
    assert post(director, event).fields == {"code"}  # a day later it is a new request, and the class is there
    assert idempotency.forget_old() == 0
    later(held, hours=2 * idempotency.KEPT_HOURS)
    assert (idempotency.forget_old(), IdempotencyKey.objects.count()) == (1, 0)


def later(held: IdempotencyKey, hours: int) -> None:
    """As if so much time had passed."""
    IdempotencyKey.objects.filter(pk=held.pk).update(created_at=F("created_at") - timedelta(hours=hours))
