"""Where the field of a stage is: who is expected, on course, home, out, and about whom to worry (rulebook 9.3, 9.4)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

MINUTE_MS = 60_000
SILENT_MS = 10 * MINUTE_MS  # rulebook 9.4, missing competitor
STOPPED_MS = 3 * MINUTE_MS  # rulebook 9.3, 9.4
LATE_START_MS = 10 * MINUTE_MS
SLOW_FACTOR = 2  # times the median of the class, rulebook 9.4
ENOUGH_FOR_MEDIAN = 3

OUT_RESULTS = frozenset({"dnf", "dns", "otl", "dsq", "nc"})
OUT_WORDS = frozenset({"withdrawn", "retired", "dsq", "nc"})


class Group(StrEnum):
    """Exactly one holds for each entry."""

    EXPECTED = "expected"
    ON_COURSE = "on-course"
    FINISHED = "finished"
    RETIRED = "retired"


class Alarm(StrEnum):
    """Why somebody should look for an entry."""

    LATE_START = "late-start"
    SILENT = "silent"
    SLOW = "slow"
    OVER_MAXIMUM = "over-maximum"
    STOPPED = "stopped"


# A crew that halts is looked at in a list of its own; the others are overdue.
OVERDUE = frozenset(Alarm) - {Alarm.STOPPED}


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of an entry in a stage; instants in epoch ms, None where there is none.

    `result` is the status of its result ("" without one), `word` an official's on the whole event. `target_ts` is
    the assigned start, `start_ts` when it left the start, `fix_ts` its last fix, `moving_ts` the last one that moved.
    """

    race_class: str
    result: str = ""
    word: str = ""
    time_ms: int | None = None
    target_ts: int | None = None
    start_ts: int | None = None
    fix_ts: int | None = None
    moving_ts: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a stage may take, ms: by the rule, and the median of those who are home, per class and of all ("")."""

    maximum_ms: int | None = None
    medians: Mapping[str, int] = field(default_factory=dict)

    def usual_ms(self, race_class: str) -> int | None:
        return self.medians.get(race_class, self.medians.get(""))


def group(seen: Seen) -> Group:
    """Where the entry counts."""
    if seen.result == "finished":
        return Group.FINISHED
    if seen.result in OUT_RESULTS or seen.word in OUT_WORDS:
        return Group.RETIRED
    return Group.ON_COURSE if seen.result == "running" else Group.EXPECTED


def alarms(seen: Seen, now: int, limits: Limits) -> tuple[Alarm, ...]:
    """Why somebody should look for the entry at this instant; of one that is home or out there is none."""
    where = group(seen)
    if where is Group.EXPECTED:
        late = seen.target_ts is not None and now - seen.target_ts > LATE_START_MS
        return (Alarm.LATE_START,) if late else ()
    if where is not Group.ON_COURSE:
        return ()
    found = {
        Alarm.SILENT: seen.fix_ts is None or now - seen.fix_ts > SILENT_MS,
        Alarm.OVER_MAXIMUM: _longer(seen, now, limits.maximum_ms),
        Alarm.SLOW: _longer(seen, now, _times(limits.usual_ms(seen.race_class), SLOW_FACTOR)),
        Alarm.STOPPED: _stopped(seen, now),
    }
    return tuple(alarm for alarm, holds in found.items() if holds)


def medians(field: Sequence[Seen]) -> dict[str, int]:
    """The median time of those who are home, per class where enough of it are, and of all under ""."""
    home = [(one.race_class, one.time_ms) for one in field if group(one) is Group.FINISHED and one.time_ms is not None]
    by_class: dict[str, list[int]] = {}
    for race_class, time_ms in home:
        by_class.setdefault(race_class, []).append(time_ms)
        by_class.setdefault("", []).append(time_ms)
    return {name: round(median(times)) for name, times in by_class.items() if len(times) >= ENOUGH_FOR_MEDIAN}


def overdue(found: Iterable[Alarm]) -> bool:
    """Whether any of these says that the entry is later than it may be."""
    return any(alarm in OVERDUE for alarm in found)


def _longer(seen: Seen, now: int, limit_ms: int | None) -> bool:
    began = seen.start_ts if seen.start_ts is not None else seen.target_ts
    return limit_ms is not None and began is not None and now - began > limit_ms


def _stopped(seen: Seen, now: int) -> bool:
    """It sends, but has not moved: silence is another alarm."""
    if seen.fix_ts is None or now - seen.fix_ts > SILENT_MS:
        return False
    return seen.moving_ts is None or now - seen.moving_ts >= STOPPED_MS


def _times(limit_ms: int | None, factor: int) -> int | None:
    return None if limit_ms is None else limit_ms * factor
