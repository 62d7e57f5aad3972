"""What the producers of the chaos run send, and what must become of it: made without the code under test."""

import json
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

# Ten minutes before midnight: the drive goes from one partition into the next.
T0 = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(minutes=10)
LOST_CLOCK = datetime(1999, 8, 22, tzinfo=UTC)  # a tracker whose week counter rolled over
DEVICES = 100
GARBAGE, DUPLICATES, LATE, ODD = 0.01, 0.03, 0.03, 0.05
LATE_BY = 1500  # records, at most

Payload = dict[str, Any]
Fields = dict[str, str | bytes]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """The fields to XADD, and the row they must become; no row for garbage, which carries its `marker`."""

    fields: Fields
    row: Row | None
    marker: str = ""


def real(value: float) -> float:
    """What a column of type real keeps of a number."""
    kept: float = struct.unpack("f", struct.pack("f", value))[0]
    return kept


def drive(rng: random.Random, count: int) -> list[Record]:
    """`count` records: a field at 1 Hz, some twice, some late, some of them no position at all."""
    dealt = list(_deal(rng, count))
    order = [n + (rng.uniform(0, LATE_BY) if rng.random() < LATE else 0) for n in range(count)]
    return [dealt[n] for n in sorted(range(count), key=order.__getitem__)]


def _deal(rng: random.Random, count: int) -> Iterator[Record]:
    sent: list[Record] = []
    for n in range(count):
        dice = rng.random()
        if dice < GARBAGE:
            yield _garbage(rng, n)
        elif dice < GARBAGE + DUPLICATES and sent:
            yield rng.choice(sent)
        else:
            sent.append(_good(rng, n))
            yield sent[-1]


def _good(rng: random.Random, n: int) -> Record:
    payload, codec, bag = _payload(rng, n), "8E", dict[str, Any]()
    if rng.random() < ODD:
        codec, bag = _odd(n, rng.randrange(6), payload)
    ts = datetime.fromisoformat(payload["timestamp"])
    row = (
        payload["device_id"], ts, payload["latitude"], payload["longitude"], real(payload["altitude"]),
        real(payload["angle"]), real(payload["speed"]), payload["satellites"], payload["priority"], codec,
        payload["attributes"] | bag, False,
    )  # fmt: skip
    return Record(_fields(payload, codec), row)


def _payload(rng: random.Random, n: int) -> Payload:
    device, second = n % DEVICES, n // DEVICES * 9 + rng.randint(0, 3)
    return {
        "device_id": f"3560930{device:08d}",
        "timestamp": (T0 + timedelta(seconds=second, milliseconds=n % 1000)).isoformat(timespec="milliseconds"),
        "latitude": rng.uniform(39, 43),
        "longitude": rng.uniform(19, 21),
        "altitude": rng.uniform(-20, 2700),
        "angle": rng.randint(0, 360),
        "speed": round(rng.uniform(0, 140), 1),
        "satellites": rng.randint(0, 20),
        "priority": rng.choice([0, 0, 0, 1, 2]),
        "attributes": {"239": 1, "66": rng.randint(11_000, 14_500), "16": rng.randint(0, 9_000_000)},
    }


def _odd(n: int, kind: int, payload: Payload) -> tuple[str, Payload]:
    """Make a payload unusual but right. Its codec, and what the columns say otherwise than the payload."""
    if kind == 0:
        payload["attributes"] |= {"78": {"__bigint": "18446744073709551615"}, "385": {"__buffer_b64": "AQIDBA=="}}
        return "8E", {"78": "18446744073709551615", "385": "AQIDBA=="}
    if kind == 1:  # objects that only look like sentinels
        payload["attributes"] |= {"1": {"__bigint": 5}, "2": {"__bigint": "5", "x": 1}, "3": {"a": {"__bigint": "5"}}}
    if kind == 2:
        payload["attributes"] |= {"name": "Dëshmi 車 \\ \" '", "empty": {}, "none": None, "list": [1, [2.5, "x"]]}
    if kind == 3:
        payload |= {"latitude": 95.5, "longitude": -200.25, "angle": 1000.5, "speed": 0}  # evidence all the same
    if kind == 4:
        ts = LOST_CLOCK + timedelta(seconds=n)
        payload["timestamp"] = ts.isoformat(timespec="milliseconds")
    return "16" if kind == 5 else "8", {}


def _fields(payload: Payload, codec: str | bytes = "8E") -> Fields:
    text = json.dumps(payload, ensure_ascii=False)
    return {"ts": str(payload.get("timestamp")), "device_id": "a copy", "codec": codec, "payload": text}


def _with(**changes: Any) -> Callable[[Payload], Fields]:
    return lambda payload: _fields(payload | changes)


def _without(name: str) -> Callable[[Payload], Fields]:
    return lambda payload: _fields({key: value for key, value in payload.items() if key != name})


def _raw(text: str | bytes) -> Callable[[Payload], Fields]:
    return lambda payload: _fields(payload) | {"payload": text}


def _cut(payload: Payload) -> Fields:
    fields = _fields(payload)
    return fields | {"payload": fields["payload"][:-7]}


def _bad_bytes(payload: Payload) -> Fields:
    return _fields(payload) | {"payload": str(_fields(payload)["payload"]).encode().replace(b'"239"', b'"\xff\xfe"')}


def _unindexable(payload: Payload) -> Fields:
    """Decodes well, and PostgreSQL refuses it: a key too long for the index, too mixed to be compressed."""
    noise = random.Random(payload["timestamp"])
    return _fields(payload | {"device_id": "".join(chr(noise.randint(33, 0xD7FF)) for _ in range(6000))})


KINDS: dict[str, Callable[[Payload], Fields]] = {
    "empty entry": lambda _: {},
    "no payload": lambda payload: {k: v for k, v in _fields(payload).items() if k != "payload"},
    "empty payload": _raw(""),
    "no JSON": _raw("$GPRMC,083559.00,A,4717.11437,N"),
    "cut off": _cut,
    "bytes": _raw(b"\x00\x01\xff\xfe\x80"),
    "no UTF-8 inside": _bad_bytes,
    "a list": _raw("[]"),
    "null": _raw("null"),
    "two documents": lambda payload: _raw(json.dumps(payload) * 2)(payload),
    "nested too deep": lambda payload: _raw('{"attributes":{"a":' + "[" * 50_000)(payload),
    "codec no UTF-8": lambda payload: _fields(payload, b"\xff8E"),
    "codec NUL": lambda payload: _fields(payload, "8\x00E"),
    "unindexable": _unindexable,
    **{f"no {name}": _without(name) for name in _payload(random.Random(0), 0)},
    "latitude text": _with(latitude="41.0"),
    "longitude null": _with(longitude=None),
    "speed true": _with(speed=True),
    "attributes list": _with(attributes=[1]),
    "attributes null": _with(attributes=None),
    "device number": _with(device_id=356093000000001),
    "device empty": _with(device_id=""),
    "device NUL": _with(device_id="3560930\x0000001"),
    "attribute NUL": _with(attributes={"1": "a\x00b"}),
    "attribute key NUL": _with(attributes={"1\x00": 1}),
    "attribute deep NUL": _with(attributes={"1": [{"x": ["\x00"]}]}),
    "sentinel NUL": _with(attributes={"1": {"__buffer_b64": "\x00"}}),
    "lone surrogate": lambda payload: _raw(json.dumps(payload | {"attributes": {"1": "\ud800"}}))(payload),
    "latitude NaN": _with(latitude=float("nan")),
    "speed infinite": _with(speed=float("inf")),
    "latitude huge": _with(latitude=1e300),
    "altitude huge": _with(altitude=-1e39),
    "satellites huge": _with(satellites=10**30),
    "satellites negative": _with(satellites=-1),
    "satellites half": _with(satellites=7.5),
    "satellites over": _with(satellites=32_768),
    "priority 3": _with(priority=3),
    "timestamp number": _with(timestamp=1_780_819_200_000),
    "timestamp words": _with(timestamp="yesterday"),
    "timestamp without zone": _with(timestamp="2026-06-07T08:00:00.000"),
    "timestamp 30 February": _with(timestamp="2026-02-30T08:00:00.000Z"),
    "timestamp too early": _with(timestamp="0001-01-01T00:00:00+23:59"),
    "timestamp too late": _with(timestamp="9999-12-31T23:59:59-12:00"),
}


def _garbage(rng: random.Random, n: int) -> Record:
    """One that must become a dead letter; its marker makes it the only one of its kind."""
    kind = rng.choice(list(KINDS))
    marker = f"{n} {kind}"
    return Record({**KINDS[kind](_payload(rng, n)), "marker": marker}, None, marker)
