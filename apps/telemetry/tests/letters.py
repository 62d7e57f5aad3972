"""Dead letters for tests, put aside the way a processor does it."""

import time
from typing import Any

from redis import Redis

from apps.common import stream
from apps.common.position import Position, encode
from apps.common.stream import Group

STREAM = "telemetry:t"
DEVICE = "356093000000001"
T0 = 1_780_819_200_000


def record(n: int = 0, device: str = DEVICE) -> dict[Any, Any]:
    """The four fields a producer sends."""
    position = Position(device, T0 + n * 1000, latitude=41.0, longitude=20.0)
    return {name.encode(): value.encode() for name, value in encode(position).items()}


def put_aside(redis: Redis, fields: dict[Any, Any], error: str, origin: str = STREAM) -> str:
    """Send a message, fail on it, and give the id of its dead letter."""
    group = Group(redis, origin, stream.PROCESSOR_GROUP, "fails")
    group.ensure()
    redis.xadd(origin, fields)
    [message] = group.read(1, 1)
    group.dead_letter(message, error)
    time.sleep(0.002)  # the next one gets an id of a later millisecond, so that the order is sure
    return last(redis, origin)


def last(redis: Redis, origin: str = STREAM) -> str:
    """The id of the newest letter."""
    rows: Any = redis.xrevrange(stream.dead_letters(origin), count=1)
    return str(rows[0][0].decode())


def many(redis: Redis, number: int, origin: str = STREAM) -> None:
    """Letters straight into place, each with its number as device_id: quick, for paging."""
    pipe = redis.pipeline(transaction=False)
    for n in range(number):
        fields: dict[Any, Any] = {
            "device_id": str(n),
            "payload": "{",
            "error": f"payload: no JSON in {n}",
            "deliveries": 1,
        }
        pipe.xadd(stream.dead_letters(origin), fields, id=f"{T0 + n // 7}-{n % 7 + 1}")
    pipe.execute()


def lying(redis: Redis, origin: str = STREAM) -> list[dict[bytes, bytes]]:
    return [message.fields for message in stream.entries(redis, stream.dead_letters(origin))]


def sent(redis: Redis, origin: str = STREAM) -> list[dict[bytes, bytes]]:
    """What waits in the stream for its group."""
    return [message.fields for message in Group(redis, origin, stream.PROCESSOR_GROUP, "look").read(100_000, 1)]
