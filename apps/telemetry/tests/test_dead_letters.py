"""Dead letters at the prompt: found, shown, sent again exactly once, dropped only when somebody says so."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from apps.common import letters, stream
from apps.common.letters import Act
from apps.common.stream import REQUESTS_STREAM
from apps.telemetry import dead_letters
from apps.telemetry.dead_letters import Filter, LetterError, Order, settle_all, streams_of
from apps.telemetry.management.commands.dead_letters import since
from apps.telemetry.tests.letters import DEVICE, STREAM, T0, last, lying, many, put_aside, record, sent

pytestmark = pytest.mark.usefixtures("redis")
GARBAGE = {b"payload": b"\xff\x00{", b"device_id": b"\x1b[2J\xe2\x80\xae", b"\x80name": b"\xfe"}
SPEAK = Order(Act.REPLAY, "test")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("dead_letters", *arguments, stdout=out)
    return out.getvalue()


def rows(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("list", "--json", *arguments).splitlines()]


def no_answer(_: str) -> str:
    raise EOFError


# --- list and show


def test_list_shows_the_newest_letter_of_every_stream_first(redis: Redis) -> None:
    first = put_aside(redis, record(), "payload: no JSON")
    put_aside(redis, {b"reason": b"tea"}, "reason: 'tea' is none of …", origin=REQUESTS_STREAM)
    table = run("list")
    assert table.index(REQUESTS_STREAM) < table.index(first)
    assert DEVICE in table and "payload: no JSON" in table and "2 shown of 2" in table


def test_each_filter_keeps_what_it_names(redis: Redis) -> None:
    put_aside(redis, record(device="356093000000002"), "cannot be stored: too small")
    put_aside(redis, record(), "payload: no JSON")
    put_aside(redis, {b"reason": b"tea"}, "reason: no JSON", origin=REQUESTS_STREAM)
    assert [row["stream"] for row in rows("--error", "NO json")] == [REQUESTS_STREAM, STREAM]
    assert [row["error"] for row in rows("--device", DEVICE)] == ["payload: no JSON"]
    assert [row["stream"] for row in rows("--stream", f"{STREAM}:dlq")] == [STREAM, STREAM]
    assert len(rows("--limit", "2")) == 2 and len(rows("--limit", "0")) == 3
    assert len(rows("--since", "1m")) == 3 and rows("--since", "2999-01-01") == []


def test_a_wrong_filter_says_what_is_right() -> None:
    with pytest.raises(CommandError, match="no stream 'telemetry:u': there are telemetry:t, recompute:requests"):
        run("list", "--stream", "telemetry:u")
    with pytest.raises(CommandError, match="'yesterday' is neither"):
        run("list", "--since", "yesterday")


def test_since_without_a_zone_is_utc() -> None:
    assert since("2026-06-07T08:00:00") == since("2026-06-07T10:00:00+02:00") == T0


def test_listing_reads_a_page_at_a_time_and_no_more_than_asked_for(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million letters must never be read at once, nor all of them to show ten."""
    many(redis, 1_234)
    asked = counting(monkeypatch)
    assert [row["device"] for row in rows("--limit", "10")] == [str(n) for n in range(1_233, 1_223, -1)]
    assert asked == [letters.PAGE]  # recompute:requests:dlq is asked too, and empty
    assert [row["device"] for row in rows("--limit", "0")] == [str(n) for n in range(1_233, -1, -1)]
    assert max(asked) == letters.PAGE


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entries each XREVRANGE gave, the empty ones left out."""
    given: list[int] = []
    original: Callable[..., Any] = Redis.xrevrange

    def xrevrange(*arguments: Any, **named: Any) -> Any:
        found = original(*arguments, **named)
        given.extend([len(found)] if found else [])
        return found

    monkeypatch.setattr(Redis, "xrevrange", xrevrange)
    return given


def test_paging_goes_on_where_it_stopped_though_two_streams_share_ids(redis: Redis) -> None:
    many(redis, 300)
    many(redis, 300, origin=REQUESTS_STREAM)
    which, before, seen = Filter(streams_of("")), None, []
    while True:
        page = dead_letters.page(redis, which, before, size=7, most=1000)
        seen += [letter.ref for letter in page.letters]
        before = page.after
        if before is None:
            break
    assert len(seen) == len(set(seen)) == 600 and seen == sorted(seen, reverse=True)


def test_a_page_looks_at_so_many_letters_only_and_can_go_on(redis: Redis) -> None:
    many(redis, 500)
    page = dead_letters.page(redis, Filter((STREAM,), device="0"), None, size=5, most=450)
    assert page.letters == [] and page.after is not None
    rest = dead_letters.page(redis, Filter((STREAM,), device="0"), page.after, size=5, most=450)
    assert [letter.device for letter in rest.letters] == ["0"] and rest.after is None


def test_show_gives_all_a_letter_holds(redis: Redis) -> None:
    id = put_aside(redis, record(), "payload: no JSON")
    text = run("show", id)
    assert '\n  "latitude": 41.0,\n' in text and "payload: no JSON" in text
    [letter] = lying(redis)
    for name in (b"origin_id", b"failed_at", b"deliveries", b"codec", b"ts"):
        assert letter[name].decode() in text


def test_garbage_is_shown_without_reaching_the_terminal(redis: Redis) -> None:
    id = put_aside(redis, GARBAGE, "payload: \x1b]0;title\x07 no UTF-8")
    for text in (run("show", id), run("list"), run("list", "--json")):
        assert "\x1b" not in text and "\u202e" not in text and "\x07" not in text
    fields = json.loads(run("show", id, "--json"))["fields"]
    assert fields["payload"] == {"base64": "/wB7"} and fields["\\x80name"] == {"base64": "/g=="}


@pytest.mark.parametrize("payload", [b'{"device_id": "\\ud800"}', b"[" * 100_000, b"9" * 5000, b"[1]", b"\xff\xfe"])
def test_no_payload_breaks_the_listing(redis: Redis, payload: bytes) -> None:
    id = put_aside(redis, {b"payload": payload}, "payload: odd")
    assert id in run("list") and run("show", id).encode() and len(rows("--device", "x")) == 0


# --- replay


def test_replay_sends_the_record_byte_by_byte_as_it_was(redis: Redis) -> None:
    id = put_aside(redis, GARBAGE, "payload: no UTF-8")
    assert "1 sent again" in run("replay", id)
    assert sent(redis) == [GARBAGE] and lying(redis) == []


def test_what_fails_again_comes_back_as_a_letter(redis: Redis) -> None:
    run("replay", put_aside(redis, record(), "first"))
    group = stream.Group(redis, STREAM, stream.PROCESSOR_GROUP, "fails")
    group.dead_letter(group.read(1, 1)[0], "second")
    [letter] = lying(redis)
    assert letter[b"error"] == b"second" and letter[b"payload"] == record()[b"payload"]


def test_the_scorers_requests_go_back_to_the_scorer(redis: Redis) -> None:
    put_aside(redis, {b"reason": b"tea"}, "reason: none", origin=REQUESTS_STREAM)
    run("replay", "--error", "reason")
    assert sent(redis, REQUESTS_STREAM) == [{b"reason": b"tea"}] and redis.xlen(STREAM) == 0


def test_replaying_one_id_many_times_at_once_sends_it_once(redis: Redis) -> None:
    """Two people who press the button together, or one who presses it twice."""
    for n in range(20):
        id = put_aside(redis, record(n), "payload: odd")
        found = dead_letters.find(redis, [id], [STREAM])
        with ThreadPoolExecutor(4) as pool:
            gone = sum(pool.map(lambda _, found=found: refused(redis, found), range(4)))
        assert gone == 3 and sent(redis) == [record(n)] and lying(redis) == []


def refused(redis: Redis, found: list[letters.Letter]) -> bool:
    try:
        dead_letters.settle(redis, found, SPEAK)
    except LetterError as error:
        assert "gone" in str(error)
        return True
    return False


def test_an_id_given_twice_is_sent_once(redis: Redis) -> None:
    id = put_aside(redis, record(), "payload: odd")
    run("replay", id, id, f"0{id}")
    assert sent(redis) == [record()]


def test_replaying_all_by_two_at_once_sends_each_once_in_order(redis: Redis) -> None:
    many(redis, 1_500)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda _: settle_all(redis, Filter((STREAM,)), SPEAK), range(2)))
    stream.Group(redis, STREAM, stream.PROCESSOR_GROUP, "look").ensure()
    devices = [int(fields[b"device_id"]) for fields in sent(redis)]
    assert sorted(devices) == list(range(1_500)) and sum(outcome.done for outcome in outcomes) == 1_500
    assert lying(redis) == []


def test_replaying_all_ends_though_what_it_sends_comes_back(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    many(redis, 450)
    group = stream.Group(redis, STREAM, stream.PROCESSOR_GROUP, "fails")
    group.ensure()
    take_out, rounds = letters.take_out, iter(range(3))  # 450 are three pages

    def come_back(*arguments: Any, **named: Any) -> letters.Taken:
        next(rounds)
        taken = take_out(*arguments, **named)
        for message in group.read(1000, 1):
            group.dead_letter(message, "again")
        return taken

    monkeypatch.setattr(letters, "take_out", come_back)
    assert "450 sent again" in run("replay", "--all")
    assert [letter[b"error"] for letter in lying(redis)] == [b"again"] * 450


def test_an_unknown_id_leaves_the_known_ones_alone(redis: Redis) -> None:
    id = put_aside(redis, record(), "payload: odd")
    for wrong in ("1-1", "17", "x", id.split("-")[0], "99999999999999999999-1"):
        with pytest.raises(CommandError) as caught:
            run("replay", id, wrong)
        assert caught.value.returncode == 1 and wrong in str(caught.value)
    assert len(lying(redis)) == 1 and sent(redis) == []


def test_an_id_in_two_streams_asks_which(redis: Redis) -> None:
    many(redis, 1)
    many(redis, 1, origin=REQUESTS_STREAM)
    with pytest.raises(CommandError, match="several streams"):
        run("replay", f"{T0}-1")
    run("replay", f"{T0}-1", "--stream", REQUESTS_STREAM)
    assert redis.xlen(REQUESTS_STREAM) == 1 and redis.xlen(STREAM) == 0


def test_a_letter_of_a_trimmed_record_is_not_sent_but_can_be_dropped(redis: Redis, capsys: Any) -> None:
    group = stream.Group(redis, STREAM, stream.PROCESSOR_GROUP, "fails")
    group.ensure()
    group.dead_letter(stream.Message(b"1-1", {}), "trimmed")
    bare, good = last(redis), put_aside(redis, record(), "odd")
    with pytest.raises(CommandError, match="holds no field to send again"):
        run("replay", good, bare)
    assert len(lying(redis)) == 2
    assert "1 sent again" in run("replay", "--all") and "1 left" in capsys.readouterr().err
    assert "1 dropped" in run("drop", bare, "--reason", "nothing in it", "--yes") and lying(redis) == []


def test_a_refused_replay_keeps_the_letter(redis: Redis) -> None:
    """The letter goes after the record is safe, never before."""
    id = put_aside(redis, record(), "odd")
    redis.delete(STREAM)
    redis.set(STREAM, "no stream")
    with pytest.raises(CommandError, match="WRONGTYPE"):
        run("replay", id)
    assert len(lying(redis)) == 1


def test_an_act_on_everything_must_be_asked_for(redis: Redis) -> None:
    id = put_aside(redis, record(), "odd")
    with pytest.raises(CommandError, match="say which"):
        run("replay", "--stream", STREAM)
    with pytest.raises(CommandError, match="not both"):
        run("replay", id, "--all")
    assert len(lying(redis)) == 1


# --- drop


def test_drop_wants_a_reason_and_a_yes(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    put_aside(redis, record(), "odd")
    with pytest.raises(CommandError, match="--reason"):
        run("drop", "--all")
    monkeypatch.setattr("builtins.input", no_answer)
    with pytest.raises(CommandError, match="say --yes"):
        run("drop", "--all", "--reason", "noise")
    monkeypatch.setattr("builtins.input", lambda _: "n")
    with pytest.raises(CommandError, match="nothing dropped"):
        run("drop", "--all", "--reason", "noise")
    assert len(lying(redis)) == 1
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert "1 dropped" in run("drop", "--all", "--reason", "noise") and lying(redis) == []


def test_what_is_dropped_stands_whole_in_the_log(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    id = put_aside(redis, GARBAGE, "odd")
    run("drop", id, "--reason", "noise", "--yes")
    [line] = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    assert line["event"] == "dead letter dropped" and line["id"] == id and line["reason"] == "noise" and line["by"]
    assert line["fields"]["payload"] == {"base64": "/wB7"}


def test_drop_by_filter_leaves_the_rest_and_sends_nothing(redis: Redis) -> None:
    many(redis, 1_100)
    assert "111 dropped" in run("drop", "--error", "in 10", "--since", "2020-01-01", "--yes", "--reason", "x")
    assert redis.xlen(f"{STREAM}:dlq") == 989 and redis.xlen(STREAM) == 0
