"""One GPS record as it travels the stream (contracts §1), decoded typed and checked field by field."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SMALLINT = 32_767
REAL = 3.4e38


class DecodeError(ValueError):
    """A stream entry that is no position; the message names the field and the reason."""


class Position(msgspec.Struct, frozen=True):
    """`ts` epoch ms of the device's GPS, degrees WGS 84, metres, km/h, heading 0 to 360 degrees.

    `attributes` is the IO bag, sentinels already resolved: a bigint is its decimal string, a buffer its base64.
    """

    device_id: str
    ts: int
    latitude: float
    longitude: float
    altitude: float = 0.0
    angle: float = 0.0
    speed: float = 0.0
    satellites: int = 0
    priority: int = 0
    codec: str = "8E"
    attributes: dict[str, Any] = {}


class _Payload(msgspec.Struct, frozen=True):
    device_id: str
    timestamp: datetime
    latitude: float
    longitude: float
    altitude: float
    angle: float
    speed: float
    satellites: float
    priority: int
    attributes: dict[str, Any]


_DECODER = msgspec.json.Decoder(_Payload)


def decode(fields: Mapping[bytes, bytes]) -> Position:
    """The position of a stream entry; `payload` is the only field trusted, but for `codec`.

    Raises DecodeError naming the field for anything PostgreSQL could not hold or contracts §1 rule out.
    """
    if b"payload" not in fields:
        raise DecodeError("payload: missing")
    try:
        payload = _DECODER.decode(fields[b"payload"])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(f"payload: {error}") from error
    _check(payload)
    return Position(
        device_id=payload.device_id,
        ts=_milliseconds(payload.timestamp),
        latitude=payload.latitude,
        longitude=payload.longitude,
        altitude=payload.altitude,
        angle=payload.angle,
        speed=payload.speed,
        satellites=int(payload.satellites),
        priority=payload.priority,
        codec=_codec(fields),
        attributes={key: _resolved(value) for key, value in payload.attributes.items()},
    )


def encode(position: Position) -> dict[str, str]:
    """The four flat fields a producer XADDs."""
    timestamp = iso(position.ts)
    payload = {
        "device_id": position.device_id,
        "timestamp": timestamp,
        "latitude": position.latitude,
        "longitude": position.longitude,
        "altitude": position.altitude,
        "angle": position.angle,
        "speed": position.speed,
        "satellites": position.satellites,
        "priority": position.priority,
        "attributes": position.attributes,
    }
    return {
        "ts": timestamp,
        "device_id": position.device_id,
        "codec": position.codec,
        "payload": msgspec.json.encode(payload).decode(),
    }


def instant(ts: int) -> datetime:
    """Epoch ms as an aware UTC datetime, exactly. Raises OverflowError beyond the years 1 to 9999."""
    return EPOCH + timedelta(milliseconds=ts)


def iso(ts: int) -> str:
    """Epoch ms as ISO-8601 UTC with milliseconds, e.g. 2026-06-07T08:00:00.500Z."""
    return instant(ts).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ts % 1000:03d}Z"


def _check(payload: _Payload) -> None:
    if not payload.device_id or "\x00" in payload.device_id:
        raise DecodeError("device_id: empty, or holds a NUL")
    if payload.timestamp.tzinfo is None:
        raise DecodeError("timestamp: has no time zone")
    for name in ("latitude", "longitude", "altitude", "angle", "speed"):
        value = getattr(payload, name)
        if not math.isfinite(value) or abs(value) > REAL:
            raise DecodeError(f"{name}: {value} is no finite number")
    if not 0 <= payload.satellites <= SMALLINT or payload.satellites % 1:
        raise DecodeError(f"satellites: {payload.satellites} is no whole number from 0 to {SMALLINT}")
    if payload.priority not in (0, 1, 2):
        raise DecodeError(f"priority: {payload.priority} is not 0, 1 or 2")


def _codec(fields: Mapping[bytes, bytes]) -> str:
    try:
        return fields.get(b"codec", b"").decode()
    except UnicodeDecodeError as error:
        raise DecodeError("codec: no UTF-8") from error


def _milliseconds(timestamp: datetime) -> int:
    return (timestamp - EPOCH) // MILLISECOND


def _resolved(value: Any) -> Any:
    """A sentinel is an object with exactly its one key; anything else is kept as it is."""
    if isinstance(value, dict) and len(value) == 1:
        for key in ("__bigint", "__buffer_b64"):
            if isinstance(value.get(key), str):
                return value[key]
    return value
