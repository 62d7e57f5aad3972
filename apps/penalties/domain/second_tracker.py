"""What another tracker of the vehicle tells of a drive through a zone: an alarm where it differs, never a penalty."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from apps.course.domain.fixes import Fixes
from apps.penalties.domain.brackets import Table
from apps.penalties.domain.formulas import bracket
from apps.penalties.domain.pulses import Hold, believed, excesses, runs
from apps.penalties.domain.registry import ZoneDrive

# So near to the highest speed of the one, the other one has to have recorded for its silence to mean anything.
NEAR_MS = 5000
Rounding = Literal["floor", "ceil"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How trackers are compared: by the brackets, and beyond so many km/h; a run counts from `min_fixes` fixes."""

    table: Table
    tolerance_kmh: float
    min_fixes: int
    rounding: Rounding


def differences(drive: ZoneDrive, judged: Sequence[Hold], by: Comparison) -> Iterator[str]:
    """A sentence for each other tracker that would have given another bracket; `judged` are the fixes over the limit
    by which the crew is judged."""
    peak = max(judged, key=lambda hold: (hold.excess, -hold.ts), default=None)
    worst = peak.excess if peak else 0
    for code in sorted({int(code) for fixes in drive.others for code in fixes.codes()}):
        mine = [fixes.of_device(code) for fixes in drive.others]
        told = max((_worst(fixes, drive, by) for fixes in mine), default=0)
        if told < worst:
            near = [fixes.between(peak.ts - NEAR_MS, peak.ts + NEAR_MS) for fixes in mine] if peak else []
            if not any(map(len, near)):
                continue
        if abs(told - worst) >= by.tolerance_kmh and bracket(by.table, told) is not bracket(by.table, worst):
            yield f"tracker {code + 1} differs: {told} km/h over, not {worst}"


def _worst(fixes: Fixes, drive: ZoneDrive, by: Comparison) -> int:
    """The highest excess that enough fixes vouch for, whole km/h."""
    found = runs(fixes, excesses(fixes, drive.limit_kmh, drive.tolerance_kmh, by.rounding))
    return max((hold.excess for run in found if believed(run, by.min_fixes) for hold in run), default=0)
