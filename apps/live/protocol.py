"""The words of `/ws-live` (contracts §4): what a client may say, and the frames it is answered with. Pure.

Client, all but `type` and `topic` optional:
    {"type": "subscribe", "topic": t, "id": "…", "since": n, "batch": bool}
        since: the last number it has of a leaderboard; batch: positions together, at most four times a second
    {"type": "unsubscribe", "topic": t, "id": "…"}

event:<id>                      who is where. "subscribed" with "snapshot": [PositionEntry…], then one at a time
    {"type": "position", "topic": t, "entryId", "raceNumber", "lat", "lon", "ts", "speed"?, "course"?, "accuracy"?,
     "deviceId"? and "attributes"? for officials alone}
    {"type": "positions", "topic": t, "positions": [PositionEntry…]}    who asked for batches; single ones come as well
leaderboard:<event>[:<stage>]   "subscribed", then from `since` on what was missed, else a snapshot, then changes
    {"type": "leaderboard", "topic": t, "seq": n, "snapshot": [BoardLine…]}
    {"type": "leaderboard", "topic": t, "seq": n + 1, "changes": [BoardLine…]}      a line stands for its "entryId"
expected:<event>[:<stage>]      the ranks of crews inside a stage, there or overall, by their times at the last
                                control they reached: not results. "subscribed" with "snapshot": [line…], then
    {"type": "expected", "topic": t, "changes": [line…]}    a line stands for its "entryId":
    {"entryId", "raceNumber", "stageId", "stage": name, "control": name, "timeMs": split there, "rank", "classRank";
     the last four null before the first control}
    As late as the leaderboard. Crews are told none, which would tell of others inside.
entry:<entry id>                own times, for its crew and officials. "subscribed" with "snapshot": [line…], then
    {"type": "entry", "topic": t, "changes": [line…]}       a line stands for its "stageId" (state_queries.TIMES_KEYS)
race-control:<event id>         officials alone. "subscribed" with "snapshot": [line…], then
    {"type": "race-control", "topic": t, "changes": [line…]}        a line stands for its "entryId":
    {"entryId", "raceNumber", "classCode", "stage": name or null outside, "lastControl", "startPosition": n or null,
     "state": "no-tracker|idle|moving|stopped|silent|no-coverage", "since": ms when that began or null,
     "due": ms when it should be through or null, "overdue": bool,
     "lastFix": null or {"lat", "lon", "ts", "speed"},
     "sos": null or {"ts", "lat", "lon", "seenBy": name or null, "seenAt": ms or null},
     "attention": 0 alarm nobody has seen, 1 overdue, 2 silent, 3 stopped, 4 no coverage, 9 nothing,
     "sweep": place on the sweep car's list, 1 = the last to start, or null}
    To show: by "attention", then "raceNumber".
    A stage whose starts are held, or that is stopped, has a line of its own, which stands for its "stageId":
    {"stageId", "stage": name, "frozen": "held|red", "since": ms, "why": text}
    Alarms are acknowledged by `apps.live.alarms.acknowledge`; the line then comes with "seenBy".
A line of the last three that is no more comes as {"key": its key, "gone": true}.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import orjson

from apps.live.wire import joined, wire

UUID = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
TOPIC = re.compile(f"(leaderboard|expected):({UUID})(?::({UUID}))?|(event|entry|race-control):({UUID})")
FORMS = (
    "event:<id>, leaderboard:<event id>, leaderboard:<event id>:<stage id>, expected:<event id>, "
    "expected:<event id>:<stage id>, entry:<id>, race-control:<event id>"
)

Frame = dict[str, Any]  # an ASGI message, made once and handed to every socket


class Code(StrEnum):
    UNKNOWN_TOPIC = "unknown-topic"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    BAD_MESSAGE = "bad-message"
    RATE_LIMITED = "rate-limited"
    ERROR = "error"


class Fault(Exception):
    """A request that gets an error frame."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


class Request(msgspec.Struct, frozen=True):
    type: Literal["subscribe", "unsubscribe"]
    topic: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    id: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    since: Annotated[int, msgspec.Meta(ge=0)] | None = None  # of a leaderboard: the last number the client has
    batch: bool = False  # of an event's positions


class Kind(StrEnum):
    """What a topic is about: its first word."""

    POSITIONS = "event"
    LEADERBOARD = "leaderboard"
    EXPECTED = "expected"
    ENTRY = "entry"
    RACE_CONTROL = "race-control"


@dataclass(frozen=True, slots=True)
class Topic:
    """`subject` is the id of an event, of an entry for `entry:<id>`; ids are lower-case UUIDs."""

    name: str
    kind: Kind
    subject: str
    stage: str | None = None


_REQUESTS = msgspec.json.Decoder(Request)


def parse(text: str | None) -> Request:
    """The request in a text frame (None: it was binary). Raises Fault with `bad-message`."""
    if text is None:
        raise Fault(Code.BAD_MESSAGE, "JSON text frames only")
    try:
        return _REQUESTS.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise Fault(Code.BAD_MESSAGE, str(error)) from error


def topic(name: str) -> Topic:
    """Raises Fault with `unknown-topic` where no topic has this form."""
    match = TOPIC.fullmatch(name)
    if match is None:
        raise Fault(Code.UNKNOWN_TOPIC, f"topics are {FORMS}")
    if match[1]:
        return Topic(name, Kind(match[1]), match[2], match[3])
    return Topic(name, Kind(match[4]), match[5])


def frame(type_: str, **fields: Any) -> Frame:
    """A frame with the fields that are known, encoded."""
    content = {"type": type_, **{name: value for name, value in fields.items() if value is not None}}
    text = orjson.dumps(content)
    return {"type": "websocket.send", "text": text.decode(), "wire": wire(text)}


def together(frames: Sequence[Frame]) -> Frame:
    """Frames to be written at once, by a protocol class that takes `wire` alone."""
    return frames[0] if len(frames) == 1 else {"wire": joined([frame["wire"] for frame in frames])}


def error(fault: Fault, topic: str | None = None, id: str | None = None) -> Frame:
    return frame("error", code=fault.code, topic=topic, id=id, message=str(fault))


def close(code: int) -> Frame:
    return {"type": "websocket.close", "code": code}
