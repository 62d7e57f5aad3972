"""What is remembered of devices: bounded, read back, never moved back."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connection
from prometheus_client import REGISTRY

from apps.common.position import Position
from apps.telemetry.device_state import NEVER, DeviceState, DeviceStates
from apps.telemetry.queries import EVER, LAST_POSITIONS, RECENT, last_positions, write_positions

T0 = 1_780_819_200_000


def position(device: str, seconds: int) -> Position:
    return Position(device, T0 + seconds * 1000, 41.0, 20.0, attributes={"66": 12_000})


class Stored:
    """A database of some latest positions that counts how often it is asked, and for what."""

    def __init__(self, *positions: Position) -> None:
        self.positions = {p.device_id: p for p in positions}
        self.asked: list[list[str]] = []

    def __call__(self, devices: Sequence[str]) -> dict[str, Position]:
        self.asked.append(sorted(devices))
        return {device: self.positions[device] for device in devices if device in self.positions}


def take(states: DeviceStates, *positions: Position) -> list[bool]:
    new = states.surely_new(positions)
    states.saw(positions)
    return new


def state(states: DeviceStates, device: str) -> DeviceState:
    found = states.get(device)
    assert found is not None
    return found


def test_late_records_never_move_last_seen_back() -> None:
    states = DeviceStates(10, Stored())
    assert take(states, position("a", 5), position("a", 3), position("a", 6), position("a", 6)) == [1, 0, 1, 0]
    assert take(states, position("a", 4)) == [False]
    assert state(states, "a") == DeviceState(position("a", 6), T0 + 6000, 5)


def test_all_unknown_devices_of_a_batch_are_read_by_one_query_and_once() -> None:
    stored = Stored(position("a", 10))
    states = DeviceStates(10, stored)
    assert take(states, position("b", 1), position("a", 10), position("a", 11)) == [True, False, True]
    take(states, position("b", 2), position("a", 12))
    assert stored.asked == [["a", "b"]]


def test_a_device_without_any_position_was_never_seen() -> None:
    states = DeviceStates(10, Stored())
    states.surely_new([position("a", 0)])
    assert state(states, "a") == DeviceState(None, NEVER, 0)


def test_nothing_is_remembered_as_seen_before_it_is_written() -> None:
    """A batch that failed is tried again; its rows must not be taken for old ones, nor for new ones twice."""
    states = DeviceStates(10, Stored())
    assert states.surely_new([position("a", 1)]) == states.surely_new([position("a", 1)]) == [True]


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


def test_the_longest_unheard_device_is_forgotten_and_read_back() -> None:
    stored = Stored()
    states = DeviceStates(2, stored)
    before = metric("processor_device_state_evictions_total")
    take(states, position("a", 1), position("b", 1))
    take(states, position("a", 2))
    take(states, position("c", 1))
    assert len(states) == 2 == metric("processor_device_state_size")
    assert metric("processor_device_state_evictions_total") - before == 1
    assert states.get("b") is None and states.get("a") is not None
    stored.positions["b"] = position("b", 1)
    assert take(states, position("b", 1)) == [False]
    assert stored.asked[-1] == ["b"]


def test_a_batch_of_more_devices_than_are_remembered() -> None:
    states = DeviceStates(2, Stored())
    assert take(states, *(position(str(n), 1) for n in range(5))) == [True] * 5
    assert len(states) == 2


@pytest.mark.django_db(transaction=True)
def test_the_latest_positions_come_back_from_the_database_as_they_were_written() -> None:
    """By device time, whatever came last, and across the days' partitions."""
    late = position("a", 90_000)
    latest = Position("b", T0 + 500, 41.5, 20.5, 812.5, 90.0, 50.0, 9, 2, "16", {"x": "AQID"})
    write_positions([late, position("a", 0), latest, position("b", 0)])
    assert last_positions(["a", "b", "none"]) == {"a": late, "b": latest}


@pytest.mark.django_db(transaction=True)
def test_of_devices_heard_lately_no_older_partition_is_asked() -> None:
    """At the start of a processor each of its devices would else be looked up in every day of a season."""
    today, old = Position("a", int(time.time() * 1000), 41.0, 20.0), position("b", 0)
    write_positions([today, old])
    call("select trm_make_position_partitions('2026-06-01', '2026-06-05')")
    assert plan(EVER).count("on positions_202606") >= 5
    assert "on positions_202606" not in plan(datetime.now(UTC) - RECENT)
    assert last_positions(["a", "b"]) == {"a": today, "b": old}


def plan(since: datetime) -> str:
    return "\n".join(row[0] for row in call("explain " + LAST_POSITIONS, ["a"], since))


def call(sql: str, *parameters: object) -> list[tuple[str]]:
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection).execute(sql, parameters).fetchall()


@pytest.mark.django_db
def test_no_device_no_position() -> None:
    assert last_positions([]) == {}
