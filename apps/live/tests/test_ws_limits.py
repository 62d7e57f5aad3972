"""`/ws-live`: what ends a socket or refuses a request (contracts §4), as an independent client sees it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from redis import Redis
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.catalog.factories import DeviceFactory
from apps.common import stream
from apps.common.position import Position
from apps.course.factories import StageFactory
from apps.events.factories import EntryDeviceFactory
from apps.events.models import Event
from apps.live.consumers import MOST_TOPICS
from apps.live.tests import boards
from apps.live.tests.server import WebServer
from apps.live.tests.test_resume import small_window
from apps.live.tests.test_ws_live import Client, client, closing_code, session_of
from apps.telemetry.queries import write_positions

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = ("event", "leaderboard", "expected", "race-control")


def ask(who: Client, **message: Any) -> dict[str, Any]:
    """The answer; asked again where it was asked faster than is allowed."""
    while True:
        who.say(**message)
        answer = who.hear(timeout=10)
        if "requests a second" not in answer.get("message", ""):
            return answer
        time.sleep(0.25)


class TestTopics:
    def test_a_socket_follows_fifty_topics_and_no_more(self, web: WebServer) -> None:
        """What it follows already it may ask for again, and a place given up is free."""
        board = boards.build()
        entries = [f"entry:{uuid4()}" for _ in range(2)]
        stages = [StageFactory.create(event=board.event) for _ in range(MOST_TOPICS)]
        topics = [f"leaderboard:{board.event.id}:{stage.id}" for stage in stages]
        with client(web) as spectator:
            for topic in topics:
                assert ask(spectator, type="subscribe", topic=topic)["type"] == "subscribed"
                assert spectator.hear()["seq"] == 0
            for topic in (board.topic, entries[0]):
                refused = ask(spectator, type="subscribe", topic=topic, id="51")
                assert refused.pop("message") == f"at most {MOST_TOPICS} topics on one socket"
                assert refused == {"type": "error", "code": "rate-limited", "topic": topic, "id": "51"}
            assert ask(spectator, type="subscribe", topic=topics[0])["type"] == "subscribed"
            assert spectator.hear()["seq"] == 0
            assert ask(spectator, type="unsubscribe", topic=topics[1])["type"] == "unsubscribed"
            assert ask(spectator, type="subscribe", topic=board.topic)["type"] == "subscribed"

    def test_a_refused_topic_takes_no_place(self, web: WebServer) -> None:
        with client(web) as spectator:
            for _ in range(MOST_TOPICS + 1):
                assert ask(spectator, type="subscribe", topic=f"entry:{uuid4()}")["code"] == "not-found"

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_topic_of_no_event_is_not_found(self, web: WebServer, kind: str) -> None:
        with client(web) as spectator:
            topic = f"{kind}:{uuid4()}"
            refused = ask(spectator, type="subscribe", topic=topic, id="n")
            assert refused.pop("message")
            assert refused == {"type": "error", "code": "not-found", "topic": topic, "id": "n"}

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_topic_of_a_private_event_is_forbidden(self, web: WebServer, kind: str) -> None:
        board = boards.build(public=False)
        with client(web, UserFactory.create()) as stranger:
            topic = f"{kind}:{board.event.id}"
            refused = ask(stranger, type="subscribe", topic=topic, id="f")
            assert refused.pop("message")
            assert refused == {"type": "error", "code": "forbidden", "topic": topic, "id": "f"}
            assert ask(stranger, type="subscribe", topic="x")["code"] == "unknown-topic"  # the socket lives on


class TestCloseCodes:
    def test_a_session_that_expires_closes_the_socket(self, web: WebServer) -> None:
        """4401, within one look at rights; asking again with it is refused before the upgrade."""
        board = boards.build()
        user = UserFactory.create()
        with client(web, user) as known:
            known.follow(board.topic)
            Session.objects.all().update(expire_date=timezone.now())
            assert closing_code(known) == 4401
        key = Session.objects.get().session_key
        with pytest.raises(InvalidStatus) as refused, client(web, headers={"Cookie": f"sessionid={key}"}):
            pass
        assert refused.value.response.status_code == 401

    @pytest.mark.parametrize("kind", ["event", "leaderboard", "expected"])
    def test_every_kind_of_topic_closes_with_the_right_to_it(self, web: WebServer, kind: str) -> None:
        board = boards.build()
        with client(web) as spectator:
            ask(spectator, type="subscribe", topic=f"{kind}:{board.event.id}")
            Event.objects.filter(id=board.event.id).update(is_public=False)
            assert closing_code(spectator) == 4403

    def test_an_official_who_is_none_any_more_leaves_race_control(self, web: WebServer) -> None:
        board = boards.build()
        row = OrganizationUserFactory.create(organization=board.event.organization, role="race-director")
        with client(web, row.user) as desk:
            assert ask(desk, type="subscribe", topic=f"race-control:{board.event.id}")["type"] == "subscribed"
            row.role = "viewer"
            row.save()
            assert closing_code(desk) == 4403

    def test_a_client_that_asks_and_never_reads_is_closed(self, web: WebServer) -> None:
        """1008: what it asked for would grow without end."""
        options: Any = {"sock": small_window(web), "compression": None, "max_queue": 1}
        question = json.dumps({"type": "subscribe", "topic": "t" * 200, "id": "i" * 100})
        with client(web, **options) as deaf:
            with pytest.raises(ConnectionClosed) as closed:
                for _ in range(25_000):  # their answers are soon more than all buffers on the way hold
                    deaf.connection.send(question)
                while True:
                    deaf.hear(timeout=20)
            assert closed.value.rcvd and closed.value.rcvd.code == 1008

    def test_an_upgrade_without_a_database_is_to_be_tried_again(self, web: WebServer) -> None:
        """503, not 401: the session may be good."""
        key = session_of(UserFactory.create())
        headers = {"Cookie": f"sessionid={key}"}
        with away("django_session"), pytest.raises(InvalidStatus) as refused, client(web, headers=headers):
            pass
        assert refused.value.response.status_code == 503


@contextmanager
def away(table: str) -> Iterator[None]:
    """As if the database did not answer: no query of this table does."""
    with connection.cursor() as cursor:
        cursor.execute(f"alter table {table} rename to away")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"alter table away rename to {table}")


class TestWithoutAnswers:
    def test_a_request_that_cannot_be_looked_up_is_to_be_made_again(self, web: WebServer) -> None:
        board = boards.build()
        with client(web) as spectator:
            with away("events"):
                refused = ask(spectator, type="subscribe", topic=board.topic, id="e")
            assert refused.pop("message") == "the database does not answer, try again"
            assert refused == {"type": "error", "code": "error", "topic": board.topic, "id": "e"}
            assert spectator.follow(board.topic)["seq"] == 0

    def test_a_snapshot_that_fails_is_empty_and_the_subscription_stands(self, web: WebServer, redis: Redis) -> None:
        board = boards.build()
        imei = "356093000000779"
        EntryDeviceFactory.create(entry=board.entries[0], device=DeviceFactory.create(imei=imei))
        begin = time.time_ns() // 1_000_000 - 3_600_000
        write_positions([Position(imei, begin, 41.0, 19.8, satellites=9)])
        with client(web) as spectator:
            with away("positions"):
                assert ask(spectator, type="subscribe", topic=f"event:{board.event.id}")["snapshot"] == []
            time.sleep(1)  # the group of a process just begun is being made
            stream.send(redis, "telemetry:t", [Position(imei, begin + 1, 41.5, 19.8, satellites=9)])
            assert spectator.hear()["ts"] == begin + 1

    def test_a_board_that_cannot_be_read_is_told_and_comes_when_it_can(self, web: WebServer) -> None:
        board = boards.build()
        with client(web) as spectator:
            with away("event_results"):
                assert ask(spectator, type="subscribe", topic=board.topic)["type"] == "subscribed"
                told = spectator.hear()
                assert (told["type"], told["code"], told["topic"]) == ("error", "error", board.topic)
            assert spectator.hear(timeout=10)["snapshot"]


def test_a_viewer_who_stops_reading_is_given_the_latest_positions_and_costs_nobody_anything(
    web: WebServer, redis: Redis
) -> None:
    """Latest wins: far fewer frames than were sent, in order, the last one the newest; the others get every one."""
    board = boards.build()
    imei = "356093000000777"
    EntryDeviceFactory.create(entry=board.entries[0], device=DeviceFactory.create(imei=imei))
    begin = time.time_ns() // 1_000_000 - 3_600_000
    options: Any = {"sock": small_window(web), "compression": None, "max_queue": 1}
    long = {str(n): "x" * 100 for n in range(300)}
    user = UserFactory.create(is_superuser=True)  # only officials are sent the IO bag
    with client(web, user, max_size=None) as quick, client(web, user, **options, max_size=None) as slow:
        for who in (slow, quick):
            assert ask(who, type="subscribe", topic=f"event:{board.event.id}")["snapshot"] == []
        time.sleep(1)  # the group of a process just begun is being made
        news = 300
        for number in range(1, news + 1):
            stream.send(
                redis, "telemetry:t", [Position(imei, begin + number, 41.5, 19.8, satellites=9, attributes=long)]
            )
            assert quick.hear()["ts"] == begin + number
        heard = [slow.hear()["ts"]]
        while heard[-1] < begin + news:
            heard.append(slow.hear()["ts"])
    assert heard == sorted(heard) and len(heard) < news


def test_a_fix_flagged_faulty_gives_way_to_the_next_best(web: WebServer) -> None:
    """In the snapshot of whoever comes after the flag; with every fix faulty there is no position."""
    board = boards.build()
    imei = "356093000000778"
    EntryDeviceFactory.create(entry=board.entries[0], device=DeviceFactory.create(imei=imei))
    begin = time.time_ns() // 1_000_000 - 3_600_000
    write_positions([Position(imei, begin + n, 41.0 + n / 10, 19.8, satellites=9) for n in range(3)])
    seen = []
    for n in (3, 2, 1, 0):
        with connection.cursor() as cursor:
            cursor.execute("update positions set faulty = true where ts >= to_timestamp(%s / 1000.0)", [begin + n])
        with client(web) as spectator:
            answer = ask(spectator, type="subscribe", topic=f"event:{board.event.id}")
            seen.append([entry["ts"] - begin for entry in answer["snapshot"]])
        time.sleep(1.1)  # a crowd that comes at once is served from one read
    assert seen == [[2], [1], [0], []]
