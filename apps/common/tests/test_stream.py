"""The consumer group on a real Redis: what is taken over, put aside, and never lost on the way."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import ConnectionError, Redis

from apps.common import stream
from apps.common.position import Position, decode
from apps.common.stream import Group, Message

STREAM = "test:stream"
IDLE_MS = 40


def group(redis: Redis, consumer: str = "one") -> Group:
    made = Group(redis, STREAM, "workers", consumer)
    made.ensure()
    return made


def fill(redis: Redis, count: int) -> list[bytes]:
    return [redis.xadd(STREAM, {"n": n}) for n in range(count)]  # type: ignore[misc]


def ids(messages: list[Message]) -> list[bytes]:
    return [message.id for message in messages]


def grow_idle() -> None:
    time.sleep(IDLE_MS / 1000 + 0.02)


def consumers(redis: Redis) -> list[bytes]:
    found: Any = redis.xinfo_consumers(STREAM, "workers")
    return [consumer["name"] for consumer in found]


def test_the_setting_may_list_several_streams() -> None:
    assert stream.streams(" a:t, b:t ,,") == ["a:t", "b:t"]


def test_positions_are_sent_as_the_contract_has_them(redis: Redis) -> None:
    position = Position("356093000000001", 1_780_819_200_500, 41.0, 20.0, attributes={"239": 1})
    assert stream.send(redis, STREAM, [position]) == 1
    [entry] = stream.entries(redis, STREAM)
    assert set(entry.fields) == {b"ts", b"device_id", b"codec", b"payload"}
    assert entry.fields[b"ts"] == b"2026-06-07T08:00:00.500Z" and decode(entry.fields) == position


def test_a_device_keeps_to_the_stream_that_every_producer_finds_for_it() -> None:
    """The sum is the one at the head of stream.py: a producer in another language must come to the same."""
    names = [f"t{n}" for n in range(7)]
    assert stream.shard("356307042441013", names) == names[2372110574 % 7]
    assert stream.shard("356307042441013", names[:1]) == "t0"


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_the_streams_get_even_shares_of_devices_numbered_in_a_row(count: int) -> None:
    names = [str(n) for n in range(count)]
    shares = Counter(stream.shard(f"3563070{device:08d}", names) for device in range(2000))
    assert max(shares.values()) - min(shares.values()) < 2000 / count * 0.2


def test_positions_go_to_the_streams_of_their_devices(redis: Redis) -> None:
    fixes = [Position(f"3563070{n % 20:08d}", 1_780_819_200_000 + n, 41.0, 20.0) for n in range(60)]
    assert stream.send(redis, "test:a,test:b", fixes) == 60
    found = {name: [decode(entry.fields) for entry in stream.entries(redis, name)] for name in ("test:a", "test:b")}
    assert all(found.values())
    for name, positions in found.items():
        assert positions == [fix for fix in fixes if stream.shard(fix.device_id, ["test:a", "test:b"]) == name]


def test_a_group_reads_what_came_before_it_was_made_and_may_be_made_twice(redis: Redis) -> None:
    sent = fill(redis, 3)
    group(redis)
    assert ids(group(redis).read(10, 1)) == sent


@pytest.mark.parametrize("protocol", [2, 3])
def test_both_protocols_of_redis_read_alike(redis_url: str, redis: Redis, protocol: int) -> None:
    sent = fill(redis, 2)
    with Redis.from_url(redis_url, protocol=protocol, socket_timeout=10) as client:
        reader = group(client)
        assert reader.read(10, 1) == [Message(sent[0], {b"n": b"0"}), Message(sent[1], {b"n": b"1"})]
        assert reader.read(10, 1) == []
        grow_idle()
        assert group(client, "two").claim_idle(IDLE_MS, 10)[1] == Message(sent[1], {b"n": b"1"}, 2)


@pytest.fixture
def client(redis_url: str, redis: Redis) -> Iterator[Redis]:
    with stream.connect(redis_url) as connected:
        yield connected


@pytest.mark.parametrize(
    "ask",
    [
        lambda reader: reader.read(10, 1),
        lambda reader: reader.read_own(10),
        lambda reader: reader.claim_idle(IDLE_MS, 10),
    ],
    ids=["read", "own", "claim"],
)
@pytest.mark.parametrize("is_there", [True, False], ids=["stream", "nothing"])
def test_a_redis_that_forgot_the_group_counts_as_away(
    client: Redis, ask: Callable[[Group], object], is_there: bool
) -> None:
    """A replica that takes over, or a Redis without its file: whoever works must begin anew, not end."""
    reader = group(client)
    client.flushdb()
    sent = fill(client, 1) if is_there else []
    with pytest.raises(ConnectionError, match="NOGROUP"):
        ask(reader)
    assert reader.lag() == 0
    assert ids(group(client).read(10, 1)) == sent


def test_a_redis_that_takes_no_writes_counts_as_away(client: Redis) -> None:
    client.config_set("min-replicas-to-write", 1)
    try:
        with pytest.raises(ConnectionError, match="NOREPLICAS"):
            fill(client, 1)
    finally:
        client.config_set("min-replicas-to-write", 0)


def test_own_leftovers_come_again_with_their_count(redis: Redis) -> None:
    sent = fill(redis, 3)
    reader = group(redis)
    reader.read(2, 1)
    group(redis, "two").read(1, 1)
    assert [(m.id, m.deliveries) for m in reader.read_own(10)] == [(sent[0], 2), (sent[1], 2)]
    assert ids(reader.read_own(10, after=sent[0])) == [sent[1]]
    reader.ack(sent[:2])
    assert reader.read_own(10) == []


def test_only_idle_messages_are_claimed_and_counted(redis: Redis) -> None:
    sent = fill(redis, 2)
    group(redis, "dead").read(1, 1)
    grow_idle()
    group(redis, "alive").read(1, 1)
    assert group(redis, "heir").claim_idle(IDLE_MS, 10) == [Message(sent[0], {b"n": b"0"}, 2)]


def test_idle_messages_behind_many_busy_ones_are_found(redis: Redis) -> None:
    """XAUTOCLAIM looks at ten times its count and stops: the rest was never claimed while the front was busy."""
    sent = fill(redis, 60)
    dead, busy = group(redis, "dead"), group(redis, "busy")
    dead.read(60, 1)
    grow_idle()
    redis.xclaim(STREAM, "workers", "busy", 0, sent[:50])  # type: ignore[arg-type]
    assert ids(group(redis, "heir").claim_idle(IDLE_MS, 2)) == sent[50:52]
    assert busy.claim_idle(10_000, 2) == []


def test_an_entry_trimmed_away_while_pending_is_handed_out_empty(redis: Redis) -> None:
    """So that its loss is told, not passed over."""
    sent = fill(redis, 2)
    group(redis, "dead").read(10, 1)
    redis.xtrim(STREAM, maxlen=0, approximate=False)
    grow_idle()
    assert [(m.id, m.fields) for m in group(redis).claim_idle(IDLE_MS, 10)] == [(sent[0], {}), (sent[1], {})]


def test_a_dead_letter_keeps_all_it_had_and_is_acknowledged(redis: Redis) -> None:
    [sent] = fill(redis, 1)
    reader = group(redis)
    [message] = reader.read(1, 1)
    reader.dead_letter(message, "no good")
    [letter] = stream.entries(redis, stream.dead_letters(STREAM))
    assert letter.fields.pop(b"failed_at").startswith(b"20")
    assert letter.fields == {b"n": b"0", b"error": b"no good", b"deliveries": b"1", b"origin_id": sent}
    assert reader.lag() == 0


def test_a_message_two_consumers_hold_is_put_aside_once(redis: Redis) -> None:
    """The slow one was taken for dead, and then both find the message no good."""
    fill(redis, 1)
    slow, quick = group(redis, "slow"), group(redis, "quick")
    [message] = slow.read(1, 1)
    grow_idle()
    [taken_over] = quick.claim_idle(IDLE_MS, 10)
    quick.dead_letter(taken_over, "no good")
    slow.dead_letter(message, "no good")
    assert len(stream.entries(redis, stream.dead_letters(STREAM))) == 1


def test_a_dead_letter_that_cannot_be_stored_leaves_its_message_pending(redis: Redis) -> None:
    fill(redis, 1)
    reader = group(redis)
    [message] = reader.read(1, 1)
    redis.set(stream.dead_letters(STREAM), "no stream")
    with pytest.raises(Exception, match="WRONGTYPE"):
        reader.dead_letter(message, "no good")
    assert ids(reader.read_own(1)) == [message.id]


def test_lag_counts_unread_and_pending(redis: Redis) -> None:
    sent = fill(redis, 5)
    reader = group(redis)
    reader.read(3, 1)
    reader.ack(sent[:1])
    assert reader.lag() == 4


def test_lag_is_counted_where_redis_has_lost_count(redis: Redis) -> None:
    """After an entry in the middle was deleted Redis answers nil: taken for 0, a backlog would look worked off."""
    sent = fill(redis, 5)
    reader = group(redis)
    reader.read(1, 1)
    redis.xdel(STREAM, sent[3])
    assert redis.xinfo_groups(STREAM)[0]["lag"] is None
    assert reader.lag() == 1 + 3


def test_who_owes_nothing_leaves_and_who_owes_stays(redis: Redis) -> None:
    """Removing a consumer loses what it has in its hands."""
    sent = fill(redis, 1)
    debtor, idle = group(redis, "debtor"), group(redis, "idle")
    debtor.read(1, 1)
    idle.read(1, 1)
    debtor.leave()
    idle.leave()
    assert consumers(redis) == [b"debtor"]
    assert ids(debtor.read_own(1)) == sent


def test_a_record_with_fields_named_as_those_of_a_letter_loses_none(redis: Redis) -> None:
    redis.xadd(STREAM, {"error": "the sender's", "origin_id": "7"})
    reader = group(redis)
    (message,) = reader.read(1, 1)
    reader.dead_letter(message, "no position")
    (letter,) = stream.entries(redis, stream.dead_letters(STREAM))
    assert json.loads(letter.fields[b"folded"]) == {"error": "the sender's", "origin_id": "7"}
    assert (letter.fields[b"error"], letter.fields[b"origin_id"]) == (b"no position", message.id)


def test_a_record_of_very_many_fields_is_put_aside_like_any_other(redis: Redis) -> None:
    """Lua cannot take that many arguments: without folding the record would end the processor at each delivery."""
    workers = group(redis)
    redis.xadd(STREAM, {f"f{n}": "é".encode("latin-1") for n in range(9000)})
    (message,) = workers.read(1, 10)
    workers.dead_letter(message, "too much")
    (letter,) = stream.entries(redis, stream.dead_letters(STREAM))
    assert len(json.loads(letter.fields[b"folded"])) == 9000 and letter.fields[b"error"] == b"too much"
    assert workers.lag() == 0
