"""The words of the live channel, without a socket."""

from uuid import uuid4

import pytest

from apps.live import protocol
from apps.live.protocol import Code, Fault, Kind, Request, Topic


def test_requests_are_read_and_unknown_keys_ignored() -> None:
    text = '{"type":"subscribe","topic":"x","id":"1","later":true}'
    assert protocol.parse(text) == Request("subscribe", "x", "1")


def test_a_lone_surrogate_is_a_bad_message() -> None:
    with pytest.raises(Fault) as fault:
        protocol.parse('{"type":"subscribe","topic":"\ud800"}')
    assert fault.value.code == Code.BAD_MESSAGE


def test_topics_of_events_and_stages() -> None:
    event, stage = str(uuid4()), str(uuid4())
    assert protocol.topic(f"leaderboard:{event}") == Topic(f"leaderboard:{event}", Kind.LEADERBOARD, event)
    assert protocol.topic(f"leaderboard:{event}:{stage}").stage == stage


def test_what_is_not_known_is_left_out() -> None:
    assert protocol.error(Fault(Code.ERROR, "why"))["text"] == '{"type":"error","code":"error","message":"why"}'
