"""A stage scored: from the evidence of one entry to its outcome."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from apps.course.domain.crossings import Crossing
from apps.course.domain.fixes import Fixes
from apps.penalties.domain import waypoint_ratio
from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.domain.registry import Offences
from apps.scoring.domain.classification import Line
from apps.scoring.domain.offences import lost_starts, waypoint_readings, zone_drives
from apps.scoring.domain.status import DECIDED, Status, contradiction, decide
from apps.timing.domain.passages import Record, record
from apps.timing.domain.plan import StagePlan, WaypointPlan
from apps.timing.domain.segment_times import SegmentTime, segment_times
from apps.timing.domain.waypoints import WaypointReading


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of one entry in one stage.

    `fixes` holds all devices of the entry (what the speed zones need is enough); device codes are in order
    of priority, lowest first. `assigned_starts` maps segment id to epoch ms. `status` is an official's
    word or "". `waived` holds keys of issued penalties (`Issued.key`).
    """

    entry: str
    race_class: str
    crossings: tuple[Crossing, ...]
    fixes: Fixes
    assigned_starts: Mapping[str, int] = field(default_factory=dict)
    status: str = ""
    waived: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """The reading of a stage for one entry; times in ms.

    `penalties` keeps waived ones too (their keys in `waived`); the sums leave them out. `penalty_ms`
    touches the stage, `overall_penalty_ms` the event (rulebook 6.3). `total_ms` is set once finished.
    `conflicts` are sentences for the officials. `inputs_hash` covers the outcome and its crossings.
    """

    entry: str
    status: Status
    segments: tuple[SegmentTime, ...]
    time_ms: int | None
    penalties: tuple[Issued, ...]
    penalty_ms: int
    total_ms: int | None
    missed: tuple[str, ...]
    validated: int
    last_control: str
    last_ts: int | None
    overall_penalty_ms: int = 0
    splits: tuple[int | None, ...] = ()
    waived: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    inputs_hash: str = ""

    @property
    def overall_extra_ms(self) -> int:
        """What the event counts beyond `total_ms`; negative when a penalty touches only the stage."""
        return self.overall_penalty_ms - self.penalty_ms

    def to_json(self) -> dict[str, Any]:
        """The outcome as plain JSON values, without its hash."""
        return {
            "entry": self.entry,
            "status": self.status.value,
            "segments": [asdict(segment) for segment in self.segments],
            "splits": list(self.splits),
            "time_ms": self.time_ms,
            "penalties": [issued.to_json() for issued in self.penalties],
            "penalty_ms": self.penalty_ms,
            "overall_penalty_ms": self.overall_penalty_ms,
            "total_ms": self.total_ms,
            "missed": list(self.missed),
            "validated": self.validated,
            "last_control": self.last_control,
            "last_ts": self.last_ts,
            "waived": list(self.waived),
            "conflicts": list(self.conflicts),
        }


def score_stage(plan: StagePlan, formulas: Sequence[Formula], evidence: Evidence) -> StageOutcome:
    """The outcome of one entry in one stage from its evidence alone.

    Pure: the same evidence in any order gives the same outcome and hash. Raises ValueError for a formula
    no evaluator knows.
    """
    crossings = record(evidence.crossings, plan)
    times = segment_times(plan, crossings, evidence.assigned_starts)
    reading = _Reading(plan, crossings, times, waypoint_readings(plan, crossings, times))
    offences = Offences(
        race_class=evidence.race_class,
        missed=reading.missed(),
        validated=reading.validated(),
        total=sum(len(segment.counted()) for segment in plan.segments if segment.special),
        finished=reading.finished(),
        zones=zone_drives(plan, crossings, times, (evidence.fixes, evidence.race_class)),
    )
    outcome = _outcome(reading, evaluate(offences, formulas), evidence)
    return replace(outcome, inputs_hash=digest(outcome, crossings))


def stage_line(outcome: StageOutcome, race_number: int, race_class: str, team: str = "") -> Line:
    """The outcome as a line to be ranked; a crew still on its way is complete so far."""
    return Line(
        entry=outcome.entry,
        race_number=race_number,
        race_class=race_class,
        status=outcome.status,
        total_ms=outcome.total_ms,
        splits=outcome.splits,
        complete=outcome.status not in DECIDED,
        team=team,
        completed=int(outcome.status is Status.FINISHED),
        overall_extra_ms=outcome.overall_extra_ms,
    )


def digest(outcome: StageOutcome, crossings: Record) -> str:
    """sha256 of the outcome and the crossings it used, as canonical JSON.

    Device codes are left out: they are only the order in which the caller listed the devices.
    """
    used = [_crossing_json(crossing) for of_control in crossings.values() for crossing in of_control]
    content = {"outcome": outcome.to_json(), "crossings": sorted(used, key=_canonical)}
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """What the evidence shows, before rules and decisions."""

    plan: StagePlan
    crossings: Record
    times: tuple[SegmentTime, ...]
    waypoints: tuple[WaypointReading, ...]

    def missed(self) -> tuple[WaypointPlan, ...]:
        return tuple(waypoint for reading in self.waypoints for waypoint in reading.missed)

    def validated(self) -> int:
        return sum(len(reading.validated) for reading in self.waypoints)

    def splits(self) -> tuple[int | None, ...]:
        pairs = zip(self.plan.ordered(), self.times, strict=True)
        return tuple(time.net_ms for segment, time in pairs if segment.special)

    def finished(self) -> bool:
        """All special stages finished; of a stage without any, all segments that have a finish."""
        splits = self.splits()
        if splits:
            return None not in splits
        pairs = zip(self.plan.ordered(), self.times, strict=True)
        ends = [time.finish_ts for segment, time in pairs if segment.finish is not None]
        return bool(ends) and None not in ends

    def time_ms(self) -> int | None:
        """The special stages finished so far; None before the first."""
        driven = [split for split in self.splits() if split is not None]
        return sum(driven) if driven or self.finished() else None

    def last(self) -> tuple[str, int | None]:
        """The control crossed last, and when."""
        every = (c for of_control in self.crossings.values() for c in of_control)
        crossing = max(every, key=lambda c: (c.ts, c.control), default=None)
        return (crossing.control, crossing.ts) if crossing else ("", None)

    def status(self, counting: Sequence[Issued]) -> Status:
        """Where the evidence puts the entry; too few waypoints are scored as not finished (2.3)."""
        if not self.crossings:
            return Status.REGISTERED
        if not self.finished():
            return Status.RUNNING
        too_few = any(issued.type == waypoint_ratio.TYPE for issued in counting)
        return Status.DNF if too_few else Status.FINISHED


def _outcome(reading: _Reading, issued: tuple[Issued, ...], evidence: Evidence) -> StageOutcome:
    counting = [penalty for penalty in issued if penalty.key not in evidence.waived]
    evident = reading.status(counting)
    status = decide(evidence.status, evident)
    time_ms, penalty_ms = reading.time_ms(), _sum(counting, "stage")
    last_control, last_ts = reading.last()
    return StageOutcome(
        entry=evidence.entry,
        status=status,
        segments=reading.times,
        time_ms=time_ms,
        penalties=issued,
        penalty_ms=penalty_ms,
        total_ms=time_ms + penalty_ms if status is Status.FINISHED and time_ms is not None else None,
        missed=tuple(waypoint.id for waypoint in reading.missed()),
        validated=reading.validated(),
        last_control=last_control,
        last_ts=last_ts,
        overall_penalty_ms=_sum(counting, "overall"),
        splits=reading.splits(),
        waived=tuple(penalty.key for penalty in issued if penalty.key in evidence.waived),
        conflicts=_conflicts(reading, status, evident),
    )


def _sum(issued: Sequence[Issued], classification: str) -> int:
    return sum(penalty.ms for penalty in issued if classification in penalty.applies_to)


def _conflicts(reading: _Reading, status: Status, evident: Status) -> tuple[str, ...]:
    if not reading.crossings:
        return ()
    notes = [f"{time.segment}: {time.note}" for time in reading.times if time.note]
    lost = lost_starts(reading.plan, reading.crossings, reading.times)
    notes += [f"{segment}: driven, but its start was not crossed" for segment in lost]
    against = contradiction(status, evident)
    return (*notes, *([against] if against else []))


def _crossing_json(crossing: Crossing) -> dict[str, Any]:
    return {
        "control": crossing.control,
        "direction": crossing.direction.value,
        "ts": crossing.ts,
        "uncertainty_ms": crossing.uncertainty_ms,
        "before_ts": crossing.before_ts,
        "after_ts": crossing.after_ts,
        "fraction": crossing.fraction,
        "occurrence": crossing.occurrence,
        "min_distance_m": crossing.min_distance_m,
    }


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
