"""One GPS record as it travels the stream (contracts §1), decoded typed and checked field by field."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
EARLIEST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MILLISECOND
LATEST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MILLISECOND

# What the columns of `positions` can hold. JSON itself has no NaN and no infinity.
Real = Annotated[float, msgspec.Meta(ge=-3.4e38, le=3.4e38)]
Smallint = Annotated[float, msgspec.Meta(ge=0, le=32_767, multiple_of=1)]


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
    device_id: Annotated[str, msgspec.Meta(min_length=1)]
    timestamp: Annotated[datetime, msgspec.Meta(tz=True)]
    latitude: Real
    longitude: Real
    altitude: Real
    angle: Real
    speed: Real
    satellites: Smallint
    priority: Annotated[int, msgspec.Meta(ge=0, le=2)]
    attributes: dict[str, Any]


_DECODER = msgspec.json.Decoder(_Payload)


def decode(fields: Mapping[bytes, bytes]) -> Position:
    """The position of a stream entry; `payload` is the only field trusted, but for `codec`.

    Raises DecodeError naming the field for anything PostgreSQL could not hold or contracts §1 rule out.
    """
    raw = fields.get(b"payload")
    if raw is None:
        raise DecodeError("payload: missing")
    payload = _payload(raw)
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
        attributes=_attributes(payload.attributes, raw),
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
    return instant(ts).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _payload(raw: bytes) -> _Payload:
    try:
        payload = _DECODER.decode(raw)
        # Text in PostgreSQL holds no NUL; JSON can write one in this way only. (A single byte is found far sooner.)
        if raw.find(b"\\") >= 0 and b"\\u0000" in raw:
            _refuse_nul(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(f"payload: {error}") from error
    except RecursionError as error:
        raise DecodeError("attributes: nested too deep") from error
    return payload


def _refuse_nul(payload: _Payload) -> None:
    for name in ("device_id", "attributes"):
        if _holds_nul(getattr(payload, name)):
            raise DecodeError(f"{name}: holds a NUL")


def _holds_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(_holds_nul(part) for part in value)
    return isinstance(value, str) and "\x00" in value


def _codec(fields: Mapping[bytes, bytes]) -> str:
    try:
        codec = fields.get(b"codec", b"").decode()
    except UnicodeDecodeError as error:
        raise DecodeError("codec: no UTF-8") from error
    if "\x00" in codec:
        raise DecodeError("codec: holds a NUL")
    return codec


def _milliseconds(timestamp: datetime) -> int:
    ts = (timestamp - EPOCH) // MILLISECOND
    if not EARLIEST <= ts <= LATEST:  # its time zone moves it out of the years 1 to 9999
        raise DecodeError(f"timestamp: {timestamp.isoformat()} is out of range")
    return ts


def _attributes(bag: dict[str, Any], raw: bytes) -> dict[str, Any]:
    """The bag with its sentinels resolved. Without a third brace there is no object in it to look at."""
    return bag if raw.count(b"{") < 3 else {key: _resolved(value) for key, value in bag.items()}


def _resolved(value: Any) -> Any:
    """A sentinel is an object with exactly its one key; anything else is kept as it is."""
    if isinstance(value, dict) and len(value) == 1:
        for key in ("__bigint", "__buffer_b64"):
            if isinstance(value.get(key), str):
                return value[key]
    return value
