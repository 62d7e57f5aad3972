"""A stage scored: from the evidence of one entry to its outcome."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from apps.course.domain.crossings import Crossing
from apps.course.domain.fixes import Fixes
from apps.penalties.domain.formulas import Issued
from apps.scoring.domain.status import Status
from apps.timing.domain.segment_times import SegmentTime


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
