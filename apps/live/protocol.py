"""The words of `/ws-live` (contracts §4): what a client may say, and the frames it is answered with. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import orjson

UUID = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
LEADERBOARD = re.compile(f"leaderboard:({UUID})(?::({UUID}))?")
POSITIONS = re.compile(f"event:({UUID})")

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


@dataclass(frozen=True, slots=True)
class Topic:
    """`leaderboard:<event>`, `leaderboard:<event>:<stage>`, or `event:<event>` for positions; lower-case UUIDs."""

    name: str
    event: str
    stage: str | None = None

    @property
    def is_positions(self) -> bool:
        return self.name.startswith("event:")


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
    if match := LEADERBOARD.fullmatch(name):
        return Topic(name, match[1], match[2])
    if match := POSITIONS.fullmatch(name):
        return Topic(name, match[1])
    raise Fault(Code.UNKNOWN_TOPIC, "topics are event:<id>, leaderboard:<event id>, leaderboard:<event id>:<stage id>")


def frame(type_: str, **fields: Any) -> Frame:
    """A frame with the fields that are known, encoded."""
    content = {"type": type_, **{name: value for name, value in fields.items() if value is not None}}
    return {"type": "websocket.send", "text": orjson.dumps(content).decode()}


def error(fault: Fault, topic: str | None = None, id: str | None = None) -> Frame:
    return frame("error", code=fault.code, topic=topic, id=id, message=str(fault))


def close(code: int) -> Frame:
    return {"type": "websocket.close", "code": code}
