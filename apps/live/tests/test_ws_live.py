"""`/ws-live` as an independent client sees it: every message, error and refusal of contracts §4."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from redis import Redis
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import User
from apps.events.models import Event
from apps.live.tests import boards
from apps.live.tests.server import WebServer
from apps.rest import tokens
from apps.rest.models import ApiToken

NOBODY = "a608f272-693b-4a36-a146-139559322fca"  # the same in every process that collects the tests
pytestmark = pytest.mark.django_db(transaction=True)


class Client:
    """A spectator's program."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def hear(self, timeout: float = 5) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.connection.recv(timeout=timeout))
        return answer

    def follow(self, topic: str) -> dict[str, Any]:
        """Subscribe; the snapshot."""
        self.say(type="subscribe", topic=topic)
        assert self.hear() == {"type": "subscribed", "topic": topic}
        return self.hear()


@contextmanager
def client(web: WebServer, user: User | None = None, **options: Any) -> Iterator[Client]:
    cookie = {"Cookie": f"sessionid={session_of(user)}"} if user else {}
    headers = {**cookie, **options.pop("headers", {})}
    with connect(web.socket_url, additional_headers=headers, **options) as connection:
        yield Client(connection)


def session_of(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def test_a_subscription_is_confirmed_and_begins_with_the_whole_board(web: WebServer) -> None:
    board = boards.build()
    with client(web) as spectator:
        spectator.say(type="subscribe", topic=board.topic, id="one")
        assert spectator.hear() == {"type": "subscribed", "topic": board.topic, "id": "one"}
        frame = spectator.hear()
    assert {key: frame[key] for key in ("type", "topic", "seq")} == {
        "type": "leaderboard",
        "topic": board.topic,
        "seq": 0,
    }
    assert [line["raceNumber"] for line in frame["snapshot"]] == [301, 302, 303]
    assert frame["snapshot"][1] == {
        "entryId": str(board.entries[1].id), "raceNumber": 302, "crew": "Arta Hoxha 1",
        "vehicle": "Toyota Land Cruiser 70", "classCode": "C-2", "status": "finished", "timeMs": 660_300,
        "penaltyMs": 60_000, "totalMs": 720_300, "rank": 2, "classRank": 1, "lastControl": "",
        "completedStages": 0,
    }  # fmt: skip


def test_a_change_arrives_with_the_next_number(web: WebServer, redis: Redis) -> None:
    board = boards.build()
    with client(web) as spectator:
        spectator.follow(board.topic)
        seq = boards.overtake(board, redis)
        frame = spectator.hear()
    assert (frame["type"], frame["topic"], frame["seq"], seq) == ("leaderboard", board.topic, 1, 1)
    assert "snapshot" not in frame
    assert {line["raceNumber"]: line["rank"] for line in frame["changes"]} == {303: 1, 301: 2, 302: 3}


def test_a_lost_wake_only_delays(web: WebServer) -> None:
    board = boards.build()
    with client(web) as spectator:
        spectator.follow(board.topic)
        boards.overtake(board, None)
        assert spectator.hear()["seq"] == 1


def test_two_viewers_and_a_late_one_agree_on_every_number(web: WebServer, redis: Redis) -> None:
    board = boards.build()
    with client(web) as early, client(web) as other:
        assert early.follow(board.topic)["seq"] == other.follow(board.topic)["seq"] == 0
        for _ in range(5):
            boards.tell(board, redis)
        heard = [early.hear()["seq"] for _ in range(5)]
        assert heard == [other.hear()["seq"] for _ in range(5)] == [1, 2, 3, 4, 5]
        with client(web) as late:
            assert late.follow(board.topic)["seq"] == 5
            boards.tell(board, redis)
            assert late.hear()["seq"] == early.hear()["seq"] == 6


def test_a_stage_has_a_board_of_its_own(web: WebServer, redis: Redis) -> None:
    board = boards.build()
    with client(web) as spectator:
        snapshot = spectator.follow(board.stage_topic)["snapshot"]
        assert {line["raceNumber"]: line["lastControl"] for line in snapshot} == {301: "ASS", 302: "ASS", 303: "WP 4"}
        boards.tell(board, redis)  # of the overall board: not ours
        with pytest.raises(TimeoutError):
            spectator.hear(timeout=2)


def test_subscribing_again_gives_a_new_snapshot(web: WebServer, redis: Redis) -> None:
    """How a client that misses a number comes back (contracts §4)."""
    board = boards.build()
    with client(web) as spectator:
        spectator.follow(board.topic)
        boards.tell(board, redis)
        spectator.hear()
        assert spectator.follow(board.topic)["seq"] == 1


def test_unsubscribing_ends_the_frames(web: WebServer, redis: Redis) -> None:
    board = boards.build()
    with client(web) as spectator:
        spectator.follow(board.topic)
        spectator.say(type="unsubscribe", topic=board.topic, id="u")
        assert spectator.hear() == {"type": "unsubscribed", "topic": board.topic, "id": "u"}
        boards.tell(board, redis)
        with pytest.raises(TimeoutError):
            spectator.hear(timeout=2)
        spectator.say(type="unsubscribe", topic=board.topic)
        assert spectator.hear()["type"] == "unsubscribed"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '"subscribe"', "{}", '{"type":"subscribe"}', '{"type":"shout","topic":"event:x"}',
     '{"type":"subscribe","topic":7}', '{"type":"subscribe","topic":""}', '{"type":"subscribe","topic":"x","id":7}',
     json.dumps({"type": "subscribe", "topic": "x" * 201}), b'{"type":"subscribe","topic":"x"}'],
)  # fmt: skip
def test_a_bad_message_is_answered_and_the_socket_lives_on(web: WebServer, text: str | bytes) -> None:
    board = boards.build()
    with client(web) as spectator:
        spectator.connection.send(text)
        frame = spectator.hear()
        assert (frame["type"], frame["code"]) == ("error", "bad-message") and frame["message"]
        assert spectator.follow(board.topic)["seq"] == 0


@pytest.mark.parametrize(
    "topic",
    ["x", "leaderboard:", "leaderboard:7", f"leaderboard:{NOBODY}:", f"leaderboard:{NOBODY}:x",
     f"leaderboard:{NOBODY.upper()}", f"board:{NOBODY}", f"leaderboard:{NOBODY}\n"],
)  # fmt: skip
def test_an_unknown_form_of_topic(web: WebServer, topic: str) -> None:
    with client(web) as spectator:
        for type_ in ("subscribe", "unsubscribe"):
            spectator.say(type=type_, topic=topic, id="7")
            frame = spectator.hear()
            assert frame.pop("message")
            assert frame == {"type": "error", "code": "unknown-topic", "topic": topic, "id": "7"}


def test_no_such_event_and_no_such_stage(web: WebServer) -> None:
    board = boards.build()
    with client(web) as spectator:
        for topic in (f"leaderboard:{uuid4()}", f"{board.topic}:{uuid4()}"):
            spectator.say(type="subscribe", topic=topic)
            frame = spectator.hear()
            assert (frame["code"], frame["topic"]) == ("not-found", topic)


def test_a_private_event_is_for_its_members(web: WebServer) -> None:
    board = boards.build(public=False)
    member, stranger, chief = UserFactory.create(), UserFactory.create(), UserFactory.create(is_superuser=True)
    OrganizationUserFactory.create(organization=board.event.organization, user=member)
    for outsider in (None, stranger):
        with client(web, outsider) as spectator:
            for topic in (board.topic, board.stage_topic):
                spectator.say(type="subscribe", topic=topic)
                assert spectator.hear()["code"] == "forbidden"
    for insider in (member, chief):
        with client(web, insider) as spectator:
            assert spectator.follow(board.topic)["snapshot"]


@pytest.mark.parametrize(
    "headers",
    [{"Cookie": "sessionid=gone"}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer "},
     {"Authorization": f"bearer {tokens.PREFIX}forged"}],
)  # fmt: skip
def test_bad_credentials_are_refused_before_the_upgrade(web: WebServer, headers: dict[str, str]) -> None:
    """A client is told, rather than shown less than it believes it may see."""
    with pytest.raises(InvalidStatus) as refused, client(web, headers=headers):
        pass
    assert refused.value.response.status_code == 401


def test_an_expired_session_is_refused(web: WebServer) -> None:
    key = session_of(UserFactory.create())
    Session.objects.filter(session_key=key).update(expire_date=timezone.now())
    with pytest.raises(InvalidStatus) as refused, client(web, headers={"Cookie": f"sessionid={key}"}):
        pass
    assert refused.value.response.status_code == 401


def test_a_token_opens_a_private_event_by_header_or_subprotocol(web: WebServer) -> None:
    board = boards.build(public=False)
    member = OrganizationUserFactory.create(organization=board.event.organization).user
    _, token = tokens.make(member)
    with client(web, headers={"Authorization": f"Bearer {token}"}) as program:
        assert program.follow(board.topic)["snapshot"]
    with client(web, subprotocols=["trm.live", f"bearer.{token}"]) as program:
        assert program.connection.subprotocol == "trm.live"
        assert program.follow(board.topic)["snapshot"]


def test_a_token_that_expires_closes_the_socket(web: WebServer) -> None:
    board = boards.build()
    row, token = tokens.make(UserFactory.create())
    with client(web, headers={"Authorization": f"Bearer {token}"}) as program:
        program.follow(board.topic)
        ApiToken.objects.filter(pk=row.pk).update(expires_at=timezone.now())
        assert closing_code(program) == 4401
    assert tokens.user_of(token) is None


def closing_code(spectator: Client) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            spectator.hear()
    assert closed.value.rcvd
    return closed.value.rcvd.code


def test_a_socket_whose_event_is_hidden_is_closed(web: WebServer) -> None:
    board, other = boards.build(), boards.build()
    with client(web) as spectator, client(web) as elsewhere:
        spectator.follow(board.topic)
        elsewhere.follow(other.topic)
        Event.objects.filter(id=board.event.id).update(is_public=False)
        assert closing_code(spectator) == 4403
        assert elsewhere.follow(other.topic)["seq"] == 0


@pytest.mark.parametrize("end", ["delete from", "update"])
def test_a_member_who_is_one_no_more_is_closed(web: WebServer, end: str) -> None:
    """By raw SQL: whoever writes the row, an open socket does not keep what the row no longer says."""
    board = boards.build(public=False)
    membership = OrganizationUserFactory.create(organization=board.event.organization)
    with client(web, membership.user) as member:
        member.follow(board.topic)
        time.sleep(1.2)  # looked at twice, and found in order
        member.follow(board.topic)
        suspended = "set suspended = true" if end == "update" else ""
        with connection.cursor() as cursor:
            cursor.execute(f"{end} organization_users {suspended} where id = %s", [membership.id])
        assert closing_code(member) == 4403


@pytest.mark.parametrize("end", ["logout", "password", "inactive"])
def test_a_socket_whose_session_ended_is_closed(web: WebServer, end: str) -> None:
    board = boards.build()
    user = UserFactory.create()
    with client(web, user) as known:
        known.follow(board.topic)
        if end == "logout":
            Session.objects.all().delete()
        elif end == "password":
            user.set_password("another")
            user.save()
        else:
            User.objects.filter(id=user.id).update(is_active=False)
        assert closing_code(known) == 4401


def test_too_many_requests_are_refused_one_by_one(web: WebServer) -> None:
    with client(web) as spectator:
        for _ in range(40):
            spectator.say(type="subscribe", topic="x")
        codes = [spectator.hear()["code"] for _ in range(40)]
        assert codes[:30] == ["unknown-topic"] * 30 and codes[-1] == "rate-limited"
        time.sleep(0.5)
        spectator.say(type="subscribe", topic="x")
        assert spectator.hear()["code"] == "unknown-topic"


def test_a_socket_that_speaks_too_long_is_closed(web: WebServer) -> None:
    with client(web) as spectator:
        spectator.connection.send("x" * 70_000)
        with pytest.raises(ConnectionClosed) as closed:
            spectator.hear()
        assert closed.value.rcvd and closed.value.rcvd.code == 1009


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_is_refused_before_the_upgrade(web: WebServer, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused, client(web, origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_our_own_page_is_let_in(web: WebServer) -> None:
    with client(web, origin=web.url) as spectator:
        spectator.say(type="subscribe", topic="x")
        assert spectator.hear()["type"] == "error"


def test_another_path_is_refused(web: WebServer) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://{web.host}/elsewhere"):
        pass
    assert refused.value.response.status_code == 403
