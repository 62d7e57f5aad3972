"""Dead letters for people: found, shown, sent again or dropped, and every act of that said in the log."""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import redis
import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from apps.common import letters, stream
from apps.common.letters import Act, Letter, Ref

log = structlog.get_logger(__name__)

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class LetterError(ValueError):
    """A letter that is not there or cannot be sent again; the message names it. Nothing was done."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters: of these streams, with this text in the error, of this device, put aside from since to until.

    Both in epoch ms, both inclusive; until 0 = open.
    """

    streams: tuple[str, ...]
    error: str = ""
    device: str = ""
    since_ms: int = 0
    until_ms: int = 0

    def fits(self, letter: Letter) -> bool:
        """Whether a letter that was put aside in time is meant."""
        in_time = not self.until_ms or letter.ref.ms <= self.until_ms
        by_error = self.error.casefold() in letter.error.casefold()
        return in_time and by_error and (not self.device or letter.device == self.device)

    @property
    def is_open(self) -> bool:
        """Whether it lets everything of its streams through."""
        return not (self.error or self.device or self.since_ms or self.until_ms)


@dataclass(frozen=True, slots=True)
class Order:
    """What shall become of letters, who says so, and why."""

    act: Act
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Letters done; letters left where they are, because they hold no field that could be sent again."""

    done: int = 0
    bare: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(self.done + other.done, self.bare + other.bare)


@dataclass(frozen=True, slots=True)
class Page:
    """Some letters, newest first, and the letter to go on after; None at the end."""

    letters: list[Letter]
    after: Ref | None


def all_streams() -> tuple[str, ...]:
    """Every stream whose dead letters people look after: the inbound ones and the scorer's requests."""
    return (*stream.streams(settings.REDIS_TELEMETRY_STREAM), stream.REQUESTS_STREAM)


def streams_of(name: str) -> tuple[str, ...]:
    """The stream of that name, or all for an empty name; `<stream>:dlq` will do too. Raises LetterError."""
    known = all_streams()
    if not name:
        return known
    found = tuple(origin for origin in known if name in (origin, stream.dead_letters(origin)))
    if not found:
        raise LetterError(
            _("no stream %(name)s: there are %(known)s") % {"name": repr(name), "known": ", ".join(known)}
        )
    return found


def matching(client: redis.Redis, which: Filter, before: Ref | None = None) -> Iterator[Letter]:
    """Letters, newest first, read a page at a time as they are asked for."""
    walk = letters.newest_first(client, which.streams, before, which.since_ms)
    return (letter for letter in walk if which.fits(letter))


def page(client: redis.Redis, which: Filter, before: Ref | None, size: int, most: int) -> Page:
    """Up to `size` letters after `before`. Looks at `most` letters: a rare error in a million of them takes several."""
    found: list[Letter] = []
    last = None
    walk = letters.newest_first(client, which.streams, before, which.since_ms)
    for looked, letter in enumerate(walk):
        if len(found) == size or looked == most:
            return Page(found, last)
        last = letter.ref
        found += [letter] if which.fits(letter) else []
    return Page(found, None)


def count(client: redis.Redis, which: Filter, most: int | None = None) -> int:
    """How many letters the filter lets through, at most `most` of them counted when it is not open."""
    if which.is_open:
        return letters.count(client, which.streams)
    return sum(1 for _ in islice(matching(client, which), most))


def find(client: redis.Redis, ids: Sequence[str], streams: Sequence[str]) -> list[Letter]:
    """The letters with these ids. Raises LetterError naming those that are unknown or lie in several streams."""
    return [_one(client, id, streams) for id in dict.fromkeys(ids)]


def _one(client: redis.Redis, id: str, streams: Sequence[str]) -> Letter:
    try:
        found = letters.look_up(client, [Ref.of(id, name) for name in streams])
    except ValueError as error:
        raise LetterError(str(error)) from error
    if not found:
        raise LetterError(_("no dead letter %(id)s in %(streams)s") % {"id": id, "streams": ", ".join(streams)})
    if len(found) > 1:
        names = ", ".join(letter.ref.stream for letter in found)
        text = _("%(id)s is a dead letter in several streams: say which of %(names)s")
        raise LetterError(text % {"id": id, "names": names})
    return found[0]


def settle(client: redis.Redis, chosen: Sequence[Letter], order: Order) -> Outcome:
    """Replay or drop just these letters: all of them or, raising LetterError, none."""
    taken = letters.take_out(client, chosen, order.act, whole=True)
    if taken.gone:
        text = _("%(ids)s: gone, someone else was faster; nothing was done")
        raise LetterError(text % {"ids": _ids(taken.gone)})
    if taken.bare:
        text = _("%(ids)s: holds no field to send again (trimmed), drop it; nothing was done")
        raise LetterError(text % {"ids": _ids(taken.bare)})
    _say(taken.done, order)
    return Outcome(len(taken.done))


def settle_all(client: redis.Redis, which: Filter, order: Order) -> Outcome:
    """Replay or drop what the filter lets through, each stream's oldest first.

    Not what is put aside from now on: what is sent again may come back while this runs. A crash in between leaves
    every letter either done or untouched.
    """
    outcome = Outcome()
    for origin in which.streams:
        last = letters.newest(client, origin)
        for found in letters.pages(client, origin, which.since_ms, last) if last else ():
            outcome += _settle_some(client, [letter for letter in found if which.fits(letter)], order)
    return outcome


def _settle_some(client: redis.Redis, chosen: Sequence[Letter], order: Order) -> Outcome:
    if not chosen:
        return Outcome()
    taken = letters.take_out(client, chosen, order.act, whole=False)
    _say(taken.done, order)
    return Outcome(len(taken.done), len(taken.bare))


def _say(done: Sequence[Letter], order: Order) -> None:
    """One line a letter. A dropped one stands there whole: it exists nowhere else from now on."""
    event = {Act.REPLAY: "dead letter replayed", Act.DROP: "dead letter dropped"}[order.act]
    for letter in done:
        facts: dict[str, object] = {
            "stream": letter.ref.stream,
            "id": letter.ref.id,
            "error": letter.error,
            "by": order.by,
        }
        if order.act is Act.DROP:
            facts |= {"reason": order.reason, "fields": as_json(letter)["fields"]}
        log.warning(event, **facts)


def _ids(some: Sequence[Letter]) -> str:
    return ", ".join(letter.ref.id for letter in some)


def as_json(letter: Letter) -> dict[str, object]:
    """A letter for machines: `fields` as they were, a value that is not UTF-8 as {"base64": …}."""
    return {
        "id": letter.ref.id,
        "stream": letter.ref.stream,
        "error": letter.error,
        "failed_at": letter.failed_at,
        "deliveries": letter.added(b"deliveries"),
        "origin_id": letter.added(b"origin_id"),
        "device": letter.device,
        "fields": {_name(name): _value(value) for name, value in letter.original.items()},
    }


def printable(value: bytes | str) -> str:
    """Text that is safe on a terminal: garbage may hold the codes that move the cursor or turn the writing round."""
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
    return UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def pretty(letter: Letter) -> str:
    """The payload over several lines where it is JSON, else empty."""
    payload = letter.payload()
    try:
        return "" if payload is None else printable(json.dumps(payload, indent=2, ensure_ascii=False))
    except RecursionError:
        return ""


def _name(name: bytes) -> str:
    return name.decode(errors="backslashreplace")


def _value(value: bytes) -> object:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}
