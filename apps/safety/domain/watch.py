"""When a crew needs help: what its trackers say, against what is expected of it. Pure.

Instants and durations in ms, places in degrees, lengths in metres. Rulebook 9.4: a shock or an abnormal tilt, above all
when the car then stands for three minutes; a stop on a live special stage; a crew that is missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from apps.course.domain.plane import distance_m

WEAK_SIGNAL = 1  # Teltonika IO 21, GSM signal 0 to 5
LATE_UPLOAD_MS = 30_000  # a fix that was so old when it came had waited for a network
PANIC_PRIORITY = 2
DEAD_REGION_M = 2_000.0
# Keys of the published IO mapping: IO 247, and roll and pitch of a sensor on the car, IO 10832 and 10816.
CRASH = "crash_detection"
TILT = "eye_roll_1 eye_pitch_1"
LEFT_FACTOR = 4.0  # a stop is over once the crew is so many stop radii away: pushing the car is none


class Kind(StrEnum):
    PANIC = "panic"
    CRASH = "crash"
    TILT = "tilt"
    STOPPED = "stopped"
    SILENT = "silent"
    OVERDUE = "overdue"


# Told by a single fix: over only when an official says so.
MOMENTARY = frozenset({Kind.PANIC, Kind.CRASH})


class Severity(IntEnum):
    NOTICE = 1
    WARNING = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """The event's settings; `watched` are the segment types on which a crew may not stand or be silent."""

    stopped_ms: int = 180_000
    stop_radius_m: float = 50.0
    silent_ms: int = 600_000
    no_coverage_ms: int = 1_800_000
    overdue_margin_ms: int = 0
    crash_attribute: str = CRASH
    tilt_attributes: tuple[str, ...] = tuple(TILT.split())
    tilt_degrees: float = 60.0
    watched: frozenset[str] = frozenset({"special-stage"})


@dataclass(frozen=True, slots=True)
class Place:
    lat: float
    lon: float

    def metres_to(self, other: "Place") -> float:
        return float(distance_m(self.lat, self.lon, other.lat, other.lon).item())


@dataclass(frozen=True, slots=True)
class Fix:
    """`ingested`: when it arrived. `place` is None where the tracker had none."""

    ts: int
    ingested: int
    place: Place | None
    device: str = ""


@dataclass(frozen=True, slots=True)
class Tracker:
    """A device of an entry: its last fix that counts, since when it is where that is, and its network then.

    `worn`: by a person, who may walk away from the car.
    """

    fix: Fix
    standing_since: int
    worn: bool = False
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class Crew:
    """An entry and the segment it is inside; `due` is when it should be through, `began` when it went in."""

    entry: str
    segment_type: str = ""
    stage: str = ""
    neutralised: bool = False
    began: int | None = None
    due: int | None = None
    trackers: Sequence[Tracker] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to alert of. `since` is when it began; `note` says more in words."""

    kind: Kind
    severity: Severity
    since: int
    fix: Fix | None = None
    note: str = ""


def signals(priority: int, decoded: Mapping[str, Any], limits: Limits) -> dict[Kind, bool]:
    """What one fix says: kind → whether it holds. A kind the fix is silent about is left out."""
    said: dict[Kind, bool] = {Kind.PANIC: True} if priority == PANIC_PRIORITY else {}
    crash = _number(decoded.get(limits.crash_attribute))
    if crash is not None and crash >= 1:
        said[Kind.CRASH] = True
    angles = [abs(angle) for name in limits.tilt_attributes if (angle := _number(decoded.get(name))) is not None]
    if angles:
        said[Kind.TILT] = max(angles) >= limits.tilt_degrees
    return said


def judge(crew: Crew, now: int, limits: Limits, dead: Iterable[Place] = ()) -> list[Finding]:
    """What is wrong with a crew now, beside what its fixes say themselves. `dead`: where others lost their network."""
    if crew.segment_type not in limits.watched or crew.neutralised:
        return []
    found = (_stopped(crew, now, limits), _silent(crew, now, limits, dead), _overdue(crew, now, limits))
    return [finding for finding in found if finding is not None]


def stands(crew: Crew, now: int, limits: Limits) -> int | None:
    """Since when the crew stands, None where it does not, or nobody knows.

    The car counts, not a tracker on somebody who walks about; of several trackers all must stand.
    """
    fresh = [t for t in crew.trackers if now - t.fix.ts <= limits.silent_ms]
    of_car = [t for t in fresh if not t.worn] or fresh
    if not of_car:
        return None
    since = max(t.standing_since for t in of_car)
    return since if max(t.fix.ts for t in of_car) - since >= limits.stopped_ms else None


def is_over(kind: Kind, at: Place | None, crew: Crew | None, limits: Limits) -> bool:
    """Whether a condition that is no longer found has really ended, not only wavered.

    `crew` is None once it is on no stage. A stop is over a good way from its place, or off the stage.
    """
    if kind in MOMENTARY or kind is Kind.TILT:
        return False
    if kind is not Kind.STOPPED or crew is None or crew.segment_type not in limits.watched:
        return True
    last = newest(crew)
    if last is None or last.place is None or at is None:
        return False
    return last.place.metres_to(at) >= LEFT_FACTOR * limits.stop_radius_m


def newest(crew: Crew) -> Fix | None:
    return max((t.fix for t in crew.trackers), key=lambda fix: fix.ts, default=None)


def _stopped(crew: Crew, now: int, limits: Limits) -> Finding | None:
    since = stands(crew, now, limits)
    if since is None:
        return None
    began = max(since, crew.began or since)  # waiting at the start line is no stop
    last = newest(crew)
    if last is None or last.ts - began < limits.stopped_ms:
        return None
    return Finding(Kind.STOPPED, Severity.WARNING, began, last)


def _silent(crew: Crew, now: int, limits: Limits, dead: Iterable[Place]) -> Finding | None:
    last = newest(crew)
    heard = max(filter(None, (last.ts if last else None, crew.began)), default=None)
    if heard is None or now - heard <= limits.silent_ms:
        return None
    if _without_coverage(crew, last, dead) and now - heard <= limits.no_coverage_ms:
        return Finding(Kind.SILENT, Severity.NOTICE, heard, last, "no-coverage")
    return Finding(Kind.SILENT, Severity.WARNING, heard, last)


def _overdue(crew: Crew, now: int, limits: Limits) -> Finding | None:
    if crew.due is None or now <= crew.due + limits.overdue_margin_ms:
        return None
    return Finding(Kind.OVERDUE, Severity.WARNING, crew.due + limits.overdue_margin_ms, newest(crew))


def _without_coverage(crew: Crew, last: Fix | None, dead: Iterable[Place]) -> bool:
    """It lost the network before, or others lose theirs where it was last."""
    if last is None:
        return False
    told = [t for t in crew.trackers if t.fix is last]
    weak = any(t.signal is not None and t.signal <= WEAK_SIGNAL for t in told)
    if weak or last.ingested - last.ts > LATE_UPLOAD_MS:
        return True
    place = last.place
    return place is not None and any(place.metres_to(other) <= DEAD_REGION_M for other in dead)


def _number(value: Any) -> float | None:
    """A decoded value as a number; booleans count as 0 and 1."""
    return float(value) if isinstance(value, bool | int | float) else None
