"""Dead letters as they lie in Redis: walked a page at a time, taken out again in one act.

A letter lies in `<stream>:dlq` and is what a group of `<stream>` could not work off: the fields of the message,
and ADDED (contracts §1). Streams here are always the origins, never the `:dlq` itself.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from heapq import merge
from typing import Any, NamedTuple, cast

import redis

from apps.common.position import EARLIEST, LATEST, iso
from apps.common.stream import ADDED, Fields, dead_letters

PAGE = 200
ID = re.compile(r"(\d{1,20})-(\d{1,20})", re.ASCII)
HIGHEST = 2**64 - 1  # of both numbers

# Take letters out: add the message to its stream again, or not, and remove the letter. In one act: a crash between
# the two would double the message or lose it, and two people at once would send it twice.
# KEYS: letters, stream, letters, stream… ARGV: act, 'whole' (all or none) or 'rest', then for each letter the number
# of its pair of keys and its id. Answers with the places (from 1) of those done, gone, and bare of any field.
TAKE_OUT = """
    local added = {error = true, failed_at = true, deliveries = true, origin_id = true}
    local replay, taken, done, gone, bare = ARGV[1] == 'replay', {}, {}, {}, {}
    for n = 1, (#ARGV - 2) / 2 do
        local pair, id = tonumber(ARGV[n * 2 + 1]), ARGV[n * 2 + 2]
        local letter = redis.call('xrange', KEYS[pair * 2 - 1], id, id)[1]
        local fields = {}
        for f = 1, letter and #letter[2] or 0, 2 do
            if not added[letter[2][f]] then
                fields[#fields + 1] = letter[2][f]
                fields[#fields + 1] = letter[2][f + 1]
            end
        end
        if not letter then
            gone[#gone + 1] = n
        elseif replay and #fields == 0 then
            bare[#bare + 1] = n
        else
            taken[#taken + 1] = {n, pair, id, fields}
        end
    end
    if ARGV[2] == 'whole' and #gone + #bare > 0 then
        taken = {}
    end
    for _, letter in ipairs(taken) do
        if replay then
            redis.call('xadd', KEYS[letter[2] * 2], '*', unpack(letter[4]))
        end
        redis.call('xdel', KEYS[letter[2] * 2 - 1], letter[3])
        done[#done + 1] = letter[1]
    end
    return {done, gone, bare}
"""


class Ref(NamedTuple):
    """Which letter: the two numbers of its id and the stream it came from. In this order they sort by time."""

    ms: int
    sequence: int
    stream: str

    @classmethod
    def of(cls, id: str, stream: str) -> "Ref":
        """Raises ValueError for what is no whole id: Redis would take 17 for all of 17-0 to 17-…"""
        match = ID.fullmatch(id)
        if match is None or max(int(match[1]), int(match[2])) > HIGHEST:
            raise ValueError(f"{id!r} is no id of a dead letter (it looks like 1780819200000-0)")
        return cls(int(match[1]), int(match[2]), stream)

    @property
    def id(self) -> str:
        return f"{self.ms}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message put aside: where it lies, and all its fields as bytes."""

    ref: Ref
    fields: Fields

    def added(self, name: bytes) -> str:
        """One of ADDED as text, empty when the letter lacks it."""
        return self.fields.get(name, b"").decode(errors="backslashreplace")

    @property
    def error(self) -> str:
        return self.added(b"error")

    @property
    def failed_at(self) -> str:
        """ISO-8601 UTC, by Redis's clock where the letter does not say."""
        return self.added(b"failed_at") or (iso(self.ref.ms) if EARLIEST <= self.ref.ms <= LATEST else "")

    @property
    def failed(self) -> datetime | None:
        """The same as a datetime, None when it is none."""
        try:
            return datetime.fromisoformat(self.failed_at).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    @property
    def original(self) -> Fields:
        """What the message had before it was put aside."""
        return {name: value for name, value in self.fields.items() if name not in ADDED}

    def payload(self) -> Any:
        """The payload's JSON decoded, None when it is none or not readable."""
        try:
            return json.loads(self.fields.get(b"payload", b""))
        except (ValueError, RecursionError):
            return None

    @property
    def device(self) -> str:
        """The device by the payload, the only field to trust; by its copy where the payload is garbage."""
        payload = self.payload()
        named = payload.get("device_id") if isinstance(payload, dict) else None
        # JSON can write half a surrogate pair, which no output could encode.
        return named.encode(errors="backslashreplace").decode() if isinstance(named, str) else self.added(b"device_id")


class Act(StrEnum):
    """What becomes of a letter that is taken out."""

    REPLAY = "replay"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Taken:
    """How an act went: letters taken out, letters that were not there, letters without a field to add again."""

    done: list[Letter]
    gone: list[Letter]
    bare: list[Letter]


def now_ms(client: redis.Redis) -> int:
    """Redis's own clock, which writes the ids of letters."""
    seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def count(client: redis.Redis, streams: Sequence[str]) -> int:
    """All letters of these streams."""
    return sum(int(cast(Any, client.xlen(dead_letters(stream)))) for stream in streams)


def newest(client: redis.Redis, stream: str) -> Ref | None:
    """The last letter of a stream."""
    return next((letter.ref for letter in _backwards(client, stream, "+", 0, page=1)), None)


def pages(client: redis.Redis, stream: str, since_ms: int, last: Ref) -> Iterator[list[Letter]]:
    """The letters of one stream from an instant to `last` and not beyond, oldest first."""
    low = str(since_ms)
    while True:
        rows: Any = client.xrange(dead_letters(stream), low, last.id, count=PAGE)
        if not rows:
            return
        yield [_letter(stream, row) for row in rows]
        low = f"({rows[-1][0].decode()}"


def newest_first(
    client: redis.Redis, streams: Sequence[str], before: Ref | None = None, since_ms: int = 0
) -> Iterator[Letter]:
    """The letters of several streams as one row, newest first, from the one after `before` on."""
    walks = [_backwards(client, stream, _highest(stream, before), since_ms) for stream in streams]
    return merge(*walks, key=lambda letter: letter.ref, reverse=True)


def look_up(client: redis.Redis, refs: Sequence[Ref]) -> list[Letter]:
    """Those of these letters that exist."""
    pipe = client.pipeline(transaction=False)
    for ref in refs:
        pipe.xrange(dead_letters(ref.stream), ref.id, ref.id)
    return [_letter(ref.stream, row) for ref, rows in zip(refs, pipe.execute(), strict=True) for row in rows]


def take_out(client: redis.Redis, letters: Sequence[Letter], act: Act, *, whole: bool) -> Taken:
    """Take letters out of where they lie, each at most once whoever else tries, and with REPLAY send them again.

    With `whole` all or none: none when one is gone, or is bare and to be sent again.
    """
    letters = list({letter.ref: letter for letter in letters}.values())
    streams = list(dict.fromkeys(letter.ref.stream for letter in letters))
    keys = [key for stream in streams for key in (dead_letters(stream), stream)]
    which = [part for letter in letters for part in (streams.index(letter.ref.stream) + 1, letter.ref.id)]
    arguments = [act, "whole" if whole else "rest", *which]
    reply: Any = client.eval(TAKE_OUT, len(keys), *keys, *cast(Any, arguments))
    return Taken(*([letters[place - 1] for place in places] for places in reply))


def _backwards(client: redis.Redis, stream: str, high: str, since_ms: int, page: int = PAGE) -> Iterator[Letter]:
    while True:
        rows: Any = client.xrevrange(dead_letters(stream), high, str(since_ms), count=page)
        if not rows:
            return
        yield from (_letter(stream, row) for row in rows)
        high = f"({rows[-1][0].decode()}"


def _highest(stream: str, before: Ref | None) -> str:
    """Where a stream goes on: two streams may hold letters of the same id, and then the name decides."""
    if before is None:
        return "+"
    return before.id if stream < before.stream else f"({before.id}"


def _letter(stream: str, row: tuple[bytes, Fields]) -> Letter:
    id, fields = row
    return Letter(Ref.of(id.decode(), stream), fields)
