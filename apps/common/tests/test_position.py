"""The codec of the stream: what is a position, what is not and why, and that nothing is lost on the way."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.position import DecodeError, Position, decode, encode, iso

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
        ({"timestamp": "2026-06-07T08:00:00"}, "timestamp: has no time zone"),
        ({"latitude": "41"}, "latitude"),
        ({"latitude": float("nan")}, "payload"),
        ({"speed": 1e300}, "speed"),
        ({"satellites": 99_999}, "satellites"),
        ({"satellites": 3.5}, "satellites"),
        ({"priority": 3}, "priority"),
        ({"attributes": []}, "attributes"),
    ],
)
def test_what_is_no_position_is_told_by_field(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode(fields(**changes))


@pytest.mark.parametrize("raw", [{}, {b"payload": b""}, {b"payload": b"{"}, {b"payload": b"\xff"}, {b"payload": b"[]"}])
def test_garbage_is_a_decode_error_and_nothing_else(raw: dict[bytes, bytes]) -> None:
    with pytest.raises(DecodeError, match="payload"):
        decode(raw)


@given(
    ts=st.integers(0, 4_102_444_800_000),
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    speed=st.floats(0, 300),
    attributes=st.dictionaries(st.text(st.characters(codec="ascii"), max_size=4), st.integers(-(2**31), 2**31)),
)
def test_encode_and_decode_are_each_others_inverse(
    ts: int, lat: float, lon: float, speed: float, attributes: dict[str, int]
) -> None:
    position = Position("356093000000001", ts, lat, lon, speed=speed, satellites=9, attributes=attributes)
    sent = {key.encode(): value.encode() for key, value in encode(position).items()}
    assert decode(sent) == position


def test_instants_are_written_to_the_millisecond() -> None:
    assert iso(1_780_819_200_500) == "2026-06-07T08:00:00.500Z"
