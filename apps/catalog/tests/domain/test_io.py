"""What each value type makes of raw values, and whole positions of real trackers."""

import base64
import json
import random
from fractions import Fraction
from typing import Any

import pytest

from apps.catalog.domain.io import Decoder, Element, ValueType, converter, scaled, slug
from apps.catalog.services import published


def buffer(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("value_type", "raw", "value"),
    [
        ("number", 0, 0),
        ("number", 65535, 65535),
        ("number", -3, -3),
        ("number", 2.5, 2.5),
        ("number", "18446744073709551615", 2**64 - 1),
        ("boolean", 0, False),
        ("boolean", 1, True),
        ("signed8", 127, 127),
        ("signed8", 128, -128),
        ("signed8", 215, -41),
        ("signed8", -41, -41),
        ("signed16", 0x7FFF, 32767),
        ("signed16", 0xFFFF, -1),
        ("signed32", 0xFFFFFFFF, -1),
        ("signed64", "18446744073709551615", -1),
        ("identifier", 42, "42"),
        ("identifier", "8937000300000169600", "8937000300000169600"),
        ("text", buffer(b"WVWZZZE1ZPP000000"), "WVWZZZE1ZPP000000"),
        ("text", buffer(b"P0100\0\0"), "P0100"),
        ("hex", buffer(b"\x00\xff"), "00ff"),
        ("hex", "", ""),
    ],
)
def test_a_value_of_its_type(value_type: str, raw: Any, value: Any) -> None:
    read = converter(Element("1", "x", value_type=value_type))(raw)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("value_type", "raw"),
    [
        ("number", "AAE="),
        ("number", None),
        ("number", True),
        ("number", {"a": 1}),
        ("number", 1e300),
        ("boolean", 2),
        ("boolean", "1"),
        ("boolean", []),
        ("signed8", 256),
        ("signed8", -129),
        ("signed16", 1.5),
        ("identifier", "12-34"),
        ("text", 5),
        ("text", buffer(b"\xff\xfe")),
        ("text", buffer(b"a\0b")),
        ("text", "no base64!"),
        ("hex", 5),
    ],
)
def test_a_value_that_is_not_what_the_mapping_says_stays_under_its_id(value_type: str, raw: Any) -> None:
    """And holds back no other value of its position."""
    decoder = Decoder([Element("1", "x", value_type=value_type), Element("2", "Ignition", value_type="boolean")])
    assert decoder({"1": raw, "2": 1, "3": None}) == {"1": raw, "ignition": True, "3": None}


@pytest.mark.parametrize(
    ("scale", "offset", "raw", "value"),
    [
        (0.001, 0.0, 12910, 12.91),
        (0.001, 0.0, 1234567, 1234.567),
        (0.1, 0.0, 3, 0.3),
        (0.01, -40.0, 12345, 83.45),
        (10.0, 0.0, 7, 70),
        (1.0, -40.0, 7, -33),
        (1.0, 0.5, 7, 7.5),
        (-1.0, 0.0, 7, -7),
        (1e-07, 0.0, 413271530, 41.327153),
        (2.5, 0.0, 3, 7.5),
    ],
)
def test_scale_and_offset(scale: float, offset: float, raw: int, value: float) -> None:
    assert scaled(scale, offset, lambda raw: raw)(raw) == value


def test_a_scaled_value_is_the_number_nearest_to_the_exact_one() -> None:
    """Else 12.91 V would be written as 12.910000000000002."""
    seed = random.randrange(2**32)
    print("seed", seed)  # noqa: T201
    dice = random.Random(seed)
    for _ in range(500):
        places, digits, raw = dice.randrange(7), dice.randrange(1, 1000), dice.randrange(2**32)
        scale = float(f"{digits}e-{places}")
        exact = Fraction(digits, 10**places) * raw
        assert scaled(scale, 0.0, lambda raw: raw)(raw) == float(exact), (scale, raw)


def test_the_key_is_the_kind_else_the_name_else_the_id() -> None:
    assert Element("9", "External Voltage", "volts").key == "volts"
    assert Element("9", "External Voltage").key == "external_voltage"
    assert Element("9", "°°").key == "9"
    assert slug("BLE Battery #2 (%)") == "ble_battery_2"


def test_of_two_elements_with_one_key_the_second_keeps_its_id() -> None:
    decoder = Decoder([Element("10", "Speed"), Element("9", "Speed"), Element("11", "speed")])
    assert decoder({"11": 3, "10": 2, "9": 1}) == {"11": 3, "10": 2, "speed": 1}


def test_every_value_type_can_be_compiled() -> None:
    for value_type in ValueType:
        converter(Element("1", "x", value_type=value_type))


def decoder_of(model: str) -> Decoder:
    return Decoder(seed.element for seed in published("Teltonika") if model in seed.models)


def test_the_packet_of_the_makers_codec_page() -> None:
    """Codec 8, first example of wiki.teltonika-gps.com "Teltonika Data Sending Protocols":
    1-byte IO 15=03 01=01, 2-byte 42=5E0F, 4-byte F1=0000601A, 8-byte 4E=0.
    """
    assert decoder_of("FMB920")({"21": 3, "1": 1, "66": 0x5E0F, "241": 0x601A, "78": "0"}) == {
        "gsm_signal": 3,
        "digital_input_1": True,
        "external_voltage": 24.079,
        "active_gsm_operator": 24602,
        "ibutton": "0",
    }


def test_a_recorded_jamming_event() -> None:
    """The IO part of the packet on the maker's page about jamming detection, 17501DAF828 ms of the epoch."""
    recorded = {
        "239": 1, "240": 0, "21": 3, "200": 0, "69": 1, "249": 0, "181": 5, "182": 3,
        "66": 0x334D, "67": 0, "68": 0, "241": 0x601A, "16": 0,
    }  # fmt: skip
    assert decoder_of("FMC130")(recorded) == {
        "ignition": True, "movement": False, "gsm_signal": 3, "sleep_mode": 0, "gnss_status": 1, "jamming": False,
        "gnss_pdop": 0.5, "gnss_hdop": 0.3, "external_voltage": 13.133, "battery_voltage": 0.0,
        "battery_current": 0.0, "active_gsm_operator": 24602, "odometer_km": 0.0,
    }  # fmt: skip


def test_a_recorded_drive_with_an_fmb003() -> None:
    """The first record of a drive in a VW ID.3 of 2025-03-25 that its owner published, but for the VIN."""
    recorded = {
        "16": 8235, "21": 3, "30": 0, "31": 23, "32": 215, "36": 1500, "37": 78, "51": 14412, "57": 77, "66": 14994,
        "67": 4024, "68": 100, "69": 1, "181": 14, "182": 7, "200": 0, "239": 1, "240": 1, "241": 24491,
        "389": 23689, "410": 1, "411": 87, "412": 16, "543": 1023, "544": 64678, "256": buffer(b"WVWZZZE1ZPP000000"),
    }  # fmt: skip
    assert json.dumps(decoder_of("FMB003")(recorded)) == json.dumps({
        "odometer_km": 8.235, "gsm_signal": 3, "obd_fault_count": 0, "engine_load": 23, "coolant_temperature": -41,
        "engine_rpm": 1500, "vehicle_speed": 78, "control_module_voltage": 14.412, "hybrid_battery_life": 77,
        "external_voltage": 14.994, "battery_voltage": 4.024, "battery_current": 0.1, "gnss_status": 1,
        "gnss_pdop": 1.4, "gnss_hdop": 0.7, "sleep_mode": 0, "ignition": True, "movement": True,
        "active_gsm_operator": 24491, "obd_odometer_km": 23689, "oem_battery_charging": True,
        "oem_battery_level": 87, "412": 16, "hybrid_system_voltage": 1023, "hybrid_system_current": -858,
        "vin": "WVWZZZE1ZPP000000",
    })  # fmt: skip
