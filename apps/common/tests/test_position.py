"""The codec of the stream: what is a position, what is not and why, and that nothing is lost on the way."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.position import EARLIEST, LATEST, DecodeError, Position, decode, encode, iso

PAYLOAD: dict[str, Any] = {
    "device_id": "356093000000001",
    "timestamp": "2026-06-07T08:00:00.500Z",
    "latitude": 41.3275,
    "longitude": 19.8187,
    "altitude": 110,
    "angle": 90.5,
    "speed": 63,
    "satellites": 12,
    "priority": 1,
    "attributes": {"239": 1},
}


def fields(**changes: Any) -> dict[bytes, bytes]:
    payload = {key: value for key, value in {**PAYLOAD, **changes}.items() if value is not ...}
    return {b"payload": json.dumps(payload).encode(), b"codec": b"8E"}


def test_a_whole_position() -> None:
    position = decode(fields())
    assert position == Position(
        "356093000000001", 1_780_819_200_500, 41.3275, 19.8187, 110, 90.5, 63, 12, 1, "8E", {"239": 1}
    )


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"__bigint": "18446744073709551615"}, "18446744073709551615"),
        ({"__buffer_b64": "AQID"}, "AQID"),
        ({"__bigint": 5}, {"__bigint": 5}),  # not a string: no sentinel
        ({"__bigint": "5", "x": 1}, {"__bigint": "5", "x": 1}),  # more than the one key: no sentinel
        ({"__other": "5"}, {"__other": "5"}),
        (66, 66),
    ],
)
def test_sentinels_are_only_what_the_contract_says(value: Any, stored: Any) -> None:
    assert decode(fields(attributes={"16": value})).attributes == {"16": stored}


def test_the_generation_type_of_codec_16_and_unknown_ids_are_kept() -> None:
    bag = {"__generation_type": 5, "9999": 1}
    assert decode(fields(attributes=bag)).attributes == bag


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"device_id": ""}, "device_id"),
        ({"device_id": 7}, "device_id"),
        ({"device_id": ...}, "device_id"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "2026-06-07T08:00:00"}, "timezone component.*timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+10:00"}, "timestamp"),  # the year 0 in UTC
        ({"timestamp": "9999-12-31T23:59:59-10:00"}, "timestamp"),
        ({"timestamp": 1_780_819_200}, "timestamp"),
        ({"latitude": "41"}, "latitude"),
        ({"longitude": None}, "longitude"),
        ({"altitude": ...}, "altitude"),
        ({"angle": True}, "angle"),
        ({"latitude": float("nan")}, "payload"),
        ({"speed": 1e300}, "speed"),
        ({"satellites": 99_999}, "satellites"),
        ({"satellites": 3.5}, "satellites"),
        ({"satellites": -1}, "satellites"),
        ({"priority": 3}, "priority"),
        ({"attributes": []}, "attributes"),
        ({"device_id": "35\x006"}, "device_id: holds a NUL"),
        ({"attributes": {"a": [{"b\x00": 1}]}}, "attributes: holds a NUL"),
    ],
)
def test_what_is_no_position_is_told_by_field(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode(fields(**changes))


@pytest.mark.parametrize("raw", [{}, {b"payload": b""}, {b"payload": b"{"}, {b"payload": b"\xff"}, {b"payload": b"[]"}])
def test_garbage_is_a_decode_error_and_nothing_else(raw: dict[bytes, bytes]) -> None:
    with pytest.raises(DecodeError, match="payload"):
        decode(raw)


@pytest.mark.parametrize("depth", [800, 100_000])
def test_nesting_beyond_all_measure_is_a_decode_error(depth: int) -> None:
    """It once was a RecursionError, which ended one processor after the other."""
    deep = b"[" * depth + b'"\\u0000"' + b"]" * depth
    payload = json.dumps({**PAYLOAD, "attributes": {"x": "@"}}).encode().replace(b'"@"', deep)
    with pytest.raises(DecodeError, match="attributes"):
        decode({b"payload": payload, b"codec": b"8E"})


@pytest.mark.parametrize("codec", [b"8\x00", b"\xff"])
def test_a_codec_that_is_no_text(codec: bytes) -> None:
    with pytest.raises(DecodeError, match="codec"):
        decode({**fields(), b"codec": codec})


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert decode(fields(attributes={"a": "\\u0000"})).attributes == {"a": "\\u0000"}


def test_what_the_table_can_hold_is_kept_even_when_detection_will_not_use_it() -> None:
    """Evidence: a position off the Earth is stored, and left out later (design §4)."""
    position = decode(fields(latitude=91.0, longitude=-540.0, speed=-1))
    assert (position.latitude, position.longitude, position.speed) == (91.0, -540.0, -1.0)


@given(
    ts=st.integers(EARLIEST, LATEST),
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    speed=st.floats(0, 300),
    attributes=st.dictionaries(
        st.text(st.characters(codec="ascii", min_codepoint=1), max_size=4), st.integers(-(2**31), 2**31)
    ),
)
def test_encode_and_decode_are_each_others_inverse(
    ts: int, lat: float, lon: float, speed: float, attributes: dict[str, int]
) -> None:
    position = Position("356093000000001", ts, lat, lon, speed=speed, satellites=9, attributes=attributes)
    sent = {key.encode(): value.encode() for key, value in encode(position).items()}
    assert decode(sent) == position


def test_instants_are_written_to_the_millisecond() -> None:
    assert iso(1_780_819_200_500) == "2026-06-07T08:00:00.500Z"
