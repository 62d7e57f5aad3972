"""What a stage came to for one entry, and the hash that tells whether two readings agree."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from apps.course.domain.crossings import Crossing
from apps.penalties.domain.formulas import Issued
from apps.scoring.domain import lines
from apps.scoring.domain.classification import Line
from apps.scoring.domain.lines import Competitor, Reading
from apps.scoring.domain.status import Status
from apps.timing.domain.passages import Record
from apps.timing.domain.segment_times import SegmentTime


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """The reading of a stage for one entry; times in ms.

    `penalties` keeps waived ones too (their keys in `waived`); the sums leave them out. `penalty_ms`
    touches the stage, `overall_penalty_ms` the event, `start_order_penalty_ms` the next start list (rulebook 6.3).
    `total_ms` is set once finished, or when a lump stands for the time. `conflicts` are sentences for the officials.
    `counts` is what the stage puts on the entry's account. `in_doubt` are waypoints that may have been passed while no
    tracker recorded, and are not held against the crew. `inputs_hash` covers the outcome and its crossings.
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
    start_order_penalty_ms: int = 0
    splits: tuple[int | None, ...] = ()
    waived: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    signed: Mapping[str, str] = field(default_factory=dict)  # key of a penalty → id of the decision on it
    counts: Mapping[str, int] = field(default_factory=dict)
    in_doubt: tuple[str, ...] = ()
    inputs_hash: str = ""

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
            "start_order_penalty_ms": self.start_order_penalty_ms,
            "total_ms": self.total_ms,
            "missed": list(self.missed),
            "validated": self.validated,
            "last_control": self.last_control,
            "last_ts": self.last_ts,
            "waived": list(self.waived),
            "conflicts": list(self.conflicts),
            "signed": dict(self.signed),
            "counts": dict(self.counts),
            # Where there is none the outcome is, and hashes, as before there were any.
            **({"in_doubt": list(self.in_doubt)} if self.in_doubt else {}),
        }


def stage_line(outcome: StageOutcome, race_number: int, race_class: str, team: str = "") -> Line:
    """The outcome as a line to be ranked, by the rule of `domain.lines`."""
    return lines.stage_line(reading(outcome), Competitor(outcome.entry, race_number, race_class, team))


def reading(outcome: StageOutcome) -> Reading:
    """What of the outcome decides its line."""
    return Reading(
        status=outcome.status,
        total_ms=outcome.total_ms,
        splits=outcome.splits,
        penalty_ms=outcome.penalty_ms,
        overall_penalty_ms=outcome.overall_penalty_ms,
        start_order_penalty_ms=outcome.start_order_penalty_ms,
    )


def digest(outcome: StageOutcome, crossings: Record) -> str:
    """sha256 of the outcome and the crossings it used, as canonical JSON.

    Of a crossing only whole numbers and names count: the last bits of its fraction and distance depend on the
    processor's sine. Device codes are left out: they are only the order in which the caller listed the devices.
    """
    used = sorted(_canonical_crossing(crossing) for of_control in crossings.values() for crossing in of_control)
    content = f'{{"crossings":[{",".join(used)}],"outcome":{canonical(outcome.to_json())}}}'
    return hashlib.sha256(content.encode()).hexdigest()


def canonical(content: Any) -> str:
    """One JSON text for one content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _canonical_crossing(crossing: Crossing) -> str:
    """A crossing as `canonical` says it: there are a hundred to an outcome, and as objects they take their time."""
    c = crossing
    return (
        f'{{"after_ts":{c.after_ts},"before_ts":{c.before_ts},"control":{json.dumps(c.control)},'
        f'"direction":"{c.direction.value}","occurrence":{c.occurrence},"ts":{c.ts}}}'
    )
