"""Webhooks and the stream get every event at least once and in order, over a network and through crashes that lose."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings
from redis import Redis

from apps.common import stream
from apps.events.factories import EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Event
from apps.integrations import signing
from apps.integrations.factories import WebhookFactory
from apps.integrations.models import Delivery, DomainEvent, Webhook
from apps.integrations.relay import Relay, RelayPace
from apps.integrations.services import Stretch, renew_secret, replay, send_again
from apps.integrations.tests.receiver import Got, Receiver, flaky, receiving
from apps.scoring import queries as scoring

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db(transaction=True)
PACE = RelayPace(rest_ms=5, attempts=100, retry_ms=1, keep_days=0)
SEED = int(os.environ.get("RELAY_SEED", random.randrange(10**6)))


@pytest.fixture(autouse=True)
def _loopback(settings: Settings) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    settings.WEBHOOK_TIMEOUT_MS = 700


@pytest.fixture
def event() -> Event:
    made: Event = EventFactory()
    return made


def happen(event: Event, total: int, entries: int = 5, kind: str = "crossing.recorded") -> None:
    """So many events, in turn of so many entries."""
    race_class = RaceClassFactory(event=event)
    crews = [EntryFactory(event=event, race_class=race_class) for _ in range(entries)]
    DomainEvent.objects.bulk_create(
        DomainEvent(kind=kind, event=event, entry_id=crews[n % entries].id, at=timezone.now(), payload={"n": n})
        for n in range(total)
    )


def hook(of: Event, receiver: Receiver, **fields: Any) -> Webhook:
    made: Webhook = WebhookFactory(organization=of.organization, url=receiver.url, **fields)
    return made


def relay(redis: Redis, pace: RelayPace = PACE, seconds: float = 60) -> None:
    """One relay until nothing waits any more."""
    one = Relay(redis, "test", pace)
    end = time.monotonic() + seconds
    one.prepare()
    while waiting():
        one.step()
        assert time.monotonic() < end, "it took too long"
    one.finish()


def waiting() -> bool:
    return (
        DomainEvent.objects.filter(relayed_at=None).exists()
        or Delivery.objects.filter(state="pending", webhook__active=True).exists()
    )


def by_entry(messages: list[dict[str, Any]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for message in messages:
        found.setdefault(message["entry_id"], []).append(message["data"]["n"])
    return found


def check_complete_and_in_order(taken: list[Got], total: int, entries: int = 5) -> None:
    """Each number at least once, and of an entry for the first time in order.

    A repetition may come late: what the sender has long given up can still lie in the receiver's queue.
    """
    first: dict[str, dict[str, Any]] = {}
    for got in taken:
        first.setdefault(got.message["id"], got.message)
    lanes = by_entry(list(first.values()))
    assert sorted({n for numbers in lanes.values() for n in numbers}) == list(range(total))
    assert len(lanes) == entries
    for numbers in lanes.values():
        assert numbers == sorted(numbers), numbers


def test_what_arrives_is_signed_and_says_what_happened(redis: Redis, event: Event) -> None:
    with receiving() as receiver:
        webhook = hook(event, receiver)
        happen(event, 1, entries=1)
        relay(redis)
        (got,) = receiver.got
    one = DomainEvent.objects.get()
    assert signing.is_signed(got.headers, got.body, webhook.secret, now=int(time.time()))
    assert not signing.is_signed(got.headers, got.body + b" ", webhook.secret, now=int(time.time()))
    assert got.headers["webhook-id"] == got.message["id"] == str(one.id)
    assert got.message | {"timestamp": ""} == {
        "id": str(one.id), "type": "crossing.recorded", "timestamp": "", "event_id": str(event.id),
        "entry_id": str(one.entry_id), "data": {"n": 0},
    }  # fmt: skip
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.log[0]["status"]) == ("delivered", 1, 204)


def test_a_network_that_loses_half_delays_and_repeats_but_loses_and_reorders_nothing(
    redis: Redis, event: Event
) -> None:
    sys.stdout.write(f"RELAY_SEED={SEED}\n")
    with receiving(flaky(SEED)) as receiver:
        webhook = hook(event, receiver)
        happen(event, 100)
        relay(redis)
        check_complete_and_in_order(receiver.taken(), 100)
        assert all(signing.is_signed(g.headers, g.body, webhook.secret, now=int(time.time())) for g in receiver.got)
        assert len(receiver.got) > 100, "the network was too kind to prove anything"
    errors = [line["error"] for d in Delivery.objects.all() for line in d.log if line["status"] != 204]
    assert "HTTP 500" in errors and any("Error" in e or "Disconnected" in e for e in errors)


def test_the_stream_has_every_event_in_order(redis: Redis, event: Event) -> None:
    happen(event, 1200)
    relay(redis)
    rows = stream.entries(redis, stream.DOMAIN_EVENTS)
    ids = [int(row.fields[b"id"]) for row in rows]
    assert ids == sorted(DomainEvent.objects.values_list("id", flat=True))
    assert rows[0].fields[b"type"] == b"crossing.recorded" and b'"n":0' in rows[0].fields[b"payload"]


def test_a_redis_that_is_away_keeps_no_event_from_coming_later(
    redis: Redis, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(event, 3)
    one = Relay(redis, "test", PACE)
    with monkeypatch.context() as patch:
        patch.setattr(one, "_to_stream", lambda found: (_ for _ in ()).throw(ConnectionError("away")))
        with pytest.raises(ConnectionError):
            one.step()
    assert DomainEvent.objects.filter(relayed_at=None).count() == 3 and not Delivery.objects.exists()
    relay(redis)
    assert redis.xlen(stream.DOMAIN_EVENTS) == 3


def test_a_webhook_gets_the_kinds_it_asked_for_of_its_own_organization(redis: Redis, event: Event) -> None:
    other_event = EventFactory(organization=event.organization)
    with receiving() as all_, receiving() as some, receiving() as one_event, receiving() as stranger:
        hook(event, all_)
        hook(event, some, kinds=["penalty.issued", "result.published"])
        hook(event, one_event, event=other_event)
        hook(EventFactory(), stranger)
        happen(event, 2)
        happen(event, 3, kind="penalty.issued")
        happen(other_event, 4)
        relay(redis)
        assert [len(r.got) for r in (all_, some, one_event, stranger)] == [9, 3, 4, 0]


def test_after_the_last_attempt_it_is_given_up_the_next_one_goes_on_and_it_can_be_sent_again(
    redis: Redis, event: Event
) -> None:
    answers = iter(["500"] * 3)
    with receiving(lambda: next(answers, "ok")) as receiver:
        hook(event, receiver)
        happen(event, 2, entries=1)
        relay(redis, RelayPace(rest_ms=1, attempts=3, retry_ms=1, keep_days=0))
        first, second = Delivery.objects.order_by("id")
        assert (first.state, first.attempts, second.state) == ("given_up", 3, "delivered")
        assert send_again([first.id, second.id]) == 2
        relay(redis)
        assert [got.message["data"]["n"] for got in receiver.taken()] == [1, 0, 1]


def test_a_stretch_of_time_can_be_replayed_to_a_webhook_made_later(redis: Redis, event: Event) -> None:
    happen(event, 20)
    happen(event, 1, kind="penalty.issued")
    relay(redis)
    with receiving() as receiver:
        webhook = hook(event, receiver)
        begin = DomainEvent.objects.earliest("id").at
        assert replay(webhook, Stretch(begin, timezone.now(), ("crossing.recorded",))) == 20
        relay(redis)
        check_complete_and_in_order(receiver.taken(), 20)
        assert replay(webhook, Stretch(begin, begin)) >= 1
        relay(redis)
        assert len(receiver.got) > 20


def test_one_that_is_off_is_told_when_it_is_on_again(redis: Redis, event: Event) -> None:
    with receiving() as receiver:
        webhook = hook(event, receiver, active=False)
        happen(event, 3)
        relay(redis)
        assert receiver.got == []
        Webhook.objects.filter(id=webhook.id).update(active=True)
        relay(redis)
        check_complete_and_in_order(receiver.taken(), 3, entries=3)


def test_one_that_never_answers_does_not_hold_up_the_others(redis: Redis, event: Event) -> None:
    with receiving(lambda: "hang") as dead, receiving() as well:
        hook(event, dead)
        hook(event, well)
        happen(event, 200, entries=50)
        one = Relay(redis, "test", PACE)
        end = time.monotonic() + 15
        while len(well.got) < 200:
            one.step()
            assert time.monotonic() < end
        one.finish()
        check_complete_and_in_order(well.taken(), 200, entries=50)


def test_a_new_secret_is_used_at_once_and_the_old_one_for_a_while(redis: Redis, event: Event) -> None:
    with receiving() as receiver:
        webhook = hook(event, receiver)
        old, new = webhook.secret, renew_secret(webhook)
        happen(event, 1)
        relay(redis)
        (got,) = receiver.got
        assert all(signing.is_signed(got.headers, got.body, secret, now=int(time.time())) for secret in (old, new))


def test_old_events_go_with_their_log_when_nobody_waits_for_them(redis: Redis, event: Event) -> None:
    with receiving() as receiver:
        hook(event, receiver)
        happen(event, 3)
        relay(redis)
        DomainEvent.objects.update(relayed_at=timezone.now() - timedelta(days=8))
        Delivery.objects.filter(id=Delivery.objects.earliest("id").id).update(
            state="pending", next_at=timezone.now() + timedelta(hours=1)
        )
        Relay(redis, "test", RelayPace(rest_ms=1, attempts=3, retry_ms=1, keep_days=7)).step()
    assert (DomainEvent.objects.count(), Delivery.objects.count()) == (1, 1)


Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(redis_url: str) -> Iterator[Start]:
    """Starts the real command; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []
    d = connection.settings_dict

    def begin(name: str) -> "subprocess.Popen[bytes]":
        environment = os.environ | {
            "DATABASE_URL": f"postgres://{d['USER']}:{d['PASSWORD']}@{d['HOST']}:{d['PORT']}/{d['NAME']}",
            "REDIS_URL": redis_url,
            "INSTANCE_ID": name,
            "METRICS_PORT": "0",
            "WEBHOOK_PRIVATE_ADDRESSES": "true",
            "WEBHOOK_TIMEOUT_MS": "700",
            "WEBHOOK_RETRY_MS": "5",
            "WEBHOOK_ATTEMPTS": "100",
        }
        started.append(subprocess.Popen([sys.executable, "manage.py", "run_relay"], cwd=ROOT, env=environment))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def wait_for(done: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


@pytest.mark.slow
def test_two_relays_one_of_them_killed_over_a_bad_network(redis: Redis, start: Start, event: Event) -> None:
    """SIGKILL in the middle: another one takes over what it had in hand; SIGTERM is clean."""
    sys.stdout.write(f"RELAY_SEED={SEED}\n")
    total = 300
    with receiving(flaky(SEED)) as receiver:
        webhook = hook(event, receiver)
        first = start("first")
        happen(event, total, entries=10)
        wait_for(lambda: len(receiver.got) > 20)
        receiver.plan = lambda: "hang"
        wait_for(lambda: receiver.got[-1].outcome == "hang")
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert len({g.message["id"] for g in receiver.taken()}) < total, "killed too late to prove anything"
        held = set(Delivery.objects.exclude(leased_by="").values_list("lane", flat=True))
        receiver.plan = flaky(SEED)
        second, third = start("second"), start("third")
        wait_for(lambda: not waiting())
        second.send_signal(signal.SIGTERM)
        third.send_signal(signal.SIGTERM)
        assert (second.wait(20), third.wait(20)) == (0, 0)
        assert held, "it had nothing in hand when it was killed"
        check_complete_and_in_order(receiver.taken(), total, entries=10)
        assert all(signing.is_signed(g.headers, g.body, webhook.secret, now=int(time.time())) for g in receiver.got)
    ids = [int(row.fields[b"id"]) for row in stream.entries(redis, stream.DOMAIN_EVENTS)]
    assert sorted(set(ids)) == sorted(DomainEvent.objects.values_list("id", flat=True))


def test_writers_and_relays_side_by_side_keep_the_order(redis: Redis, event: Event) -> None:
    """An id may be taken long before its commit; those who write about one entry hold its lock until then."""
    race_class = RaceClassFactory(event=event)
    entry: UUID = EntryFactory(event=event, race_class=race_class).id
    numbers = iter(range(1000))

    def write() -> None:
        for _ in range(10):
            with transaction.atomic():
                scoring.lock("entry", [str(entry)])
                DomainEvent.objects.create(
                    kind="x", event=event, entry_id=entry, at=timezone.now(), payload={"n": next(numbers)}
                )
                time.sleep(0.005)
        connection.close()

    def hand_out() -> None:
        while any(w.is_alive() for w in writers) or waiting():
            Relay(redis, "test", PACE).step()
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(4)]
    relays = [threading.Thread(target=hand_out) for _ in range(2)]
    for thread in (*writers, *relays):
        thread.start()
    for thread in (*writers, *relays):
        thread.join()
    rows = [row.fields[b"payload"] for row in stream.entries(redis, stream.DOMAIN_EVENTS)]
    assert [int(row.split(b'"n":')[1].rstrip(b"}")) for row in rows] == list(range(40))
