"""How race control sees a crew: under way, stopped, silent or out of coverage; overdue; in distress. Pure.

Instants and durations in ms. Only a crew inside a running stage is judged; elsewhere it may stand and be silent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

STOPPED_AFTER_MS = 60_000
SILENT_AFTER_MS = 60_000  # trackers under way report every few seconds
WEAK_SIGNAL = 1  # Teltonika IO 21, GSM signal 0 to 5: what it last said of the network
CRITICAL = 3  # of an alert
LATE_UPLOAD_MS = 30_000  # a fix that was so old when it came had waited for a network


class State(StrEnum):
    NO_TRACKER = "no-tracker"
    IDLE = "idle"
    MOVING = "moving"
    STOPPED = "stopped"
    SILENT = "silent"
    NO_COVERAGE = "no-coverage"


@dataclass(frozen=True, slots=True)
class Fix:
    """The last one of an entry. `moved_ts`: when its device last drove; `signal`: of the GSM network, if it said."""

    ts: int
    ingested: int
    lat: float
    lon: float
    speed: float
    moved_ts: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """The latest panic fix; `seen_by` and `seen_at` where it was acknowledged."""

    ts: int
    lat: float
    lon: float
    seen_by: str | None = None
    seen_at: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of an entry. `stage` is the running one it is inside, `due` when it should be through.

    `alerts` are those of the safety desk that are not over (`apps.safety`).
    """

    entry: str
    race_number: int
    class_code: str
    stage: str | None = None
    last_control: str = ""
    start_position: int | None = None
    due: int | None = None
    fix: Fix | None = None
    alarm: Alarm | None = None
    alerts: Sequence[dict[str, Any]] = ()


def state(reading: Reading, now: int) -> State:
    fix = reading.fix
    if fix is None:
        return State.NO_TRACKER
    if reading.stage is None:
        return State.IDLE
    if now - fix.ts > SILENT_AFTER_MS:
        return State.NO_COVERAGE if _lost_the_network(fix) else State.SILENT
    if fix.ts - (fix.moved_ts or 0) >= STOPPED_AFTER_MS:
        return State.STOPPED
    return State.MOVING


def is_overdue(reading: Reading, now: int) -> bool:
    return reading.stage is not None and reading.due is not None and now > reading.due


def lines(readings: Sequence[Reading], now: int) -> list[dict[str, Any]]:
    """The line of each entry, what needs somebody most first."""
    places = {reading.entry: n for n, reading in enumerate(sweep(readings), start=1)}
    found = [{**line(reading, now), "sweep": places.get(reading.entry)} for reading in readings]
    return sorted(found, key=lambda of: (of["attention"], of["raceNumber"]))


def sweep(readings: Sequence[Reading]) -> list[Reading]:
    """Whom the sweep car has still to see through: all inside a running stage, the last to start first."""
    inside = [reading for reading in readings if reading.stage is not None]
    return sorted(inside, key=lambda of: (-(of.start_position or 0), of.race_number))


def line(reading: Reading, now: int) -> dict[str, Any]:
    """What race control is told of an entry. `since` is when its state began, as far as is known."""
    now_is = state(reading, now)
    fix = reading.fix
    return {
        "entryId": reading.entry,
        "raceNumber": reading.race_number,
        "classCode": reading.class_code,
        "stage": reading.stage,
        "lastControl": reading.last_control,
        "startPosition": reading.start_position,
        "state": now_is.value,
        "since": _since(now_is, fix),
        "due": reading.due,
        "overdue": is_overdue(reading, now),
        "lastFix": fix and {"lat": fix.lat, "lon": fix.lon, "ts": fix.ts, "speed": fix.speed},
        "sos": reading.alarm and _alarm(reading.alarm),
        "alerts": list(reading.alerts),
        "attention": attention(reading, now),
    }


ORDER = (State.SILENT, State.STOPPED, State.NO_COVERAGE)


def attention(reading: Reading, now: int) -> int:
    """0 = an alarm or a critical alert nobody has seen; then overdue, silent, stopped, no coverage; 9 = nothing."""
    if reading.alarm and reading.alarm.seen_at is None:
        return 0
    if any(alert["severity"] >= CRITICAL and not alert["seen"] for alert in reading.alerts):
        return 0
    if is_overdue(reading, now):
        return 1
    now_is = state(reading, now)
    return 2 + ORDER.index(now_is) if now_is in ORDER else 9


def _lost_the_network(fix: Fix) -> bool:
    weak = fix.signal is not None and fix.signal <= WEAK_SIGNAL
    return weak or fix.ingested - fix.ts > LATE_UPLOAD_MS


def _since(now_is: State, fix: Fix | None) -> int | None:
    if fix is None:
        return None
    return fix.moved_ts if now_is is State.STOPPED else fix.ts


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {"ts": alarm.ts, "lat": alarm.lat, "lon": alarm.lon, "seenBy": alarm.seen_by, "seenAt": alarm.seen_at}
