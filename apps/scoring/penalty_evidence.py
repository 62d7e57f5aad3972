"""What lies behind one penalty: the track, the passages and the decisions, read for the page that explains it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from apps.accounts import policy
from apps.accounts.rights import AnyUser
from apps.course.domain.controls import Control
from apps.penalties.domain.decisions import KINDS
from apps.penalties.models import Decision, EntryPenalty
from apps.scoring import queries, track_queries
from apps.scoring.domain import tracks
from apps.scoring.domain.scenes import AROUND_MS, Scene, scene
from apps.scoring.domain.tracks import Closest, TrackFix
from apps.scoring.fix_queries import Span
from apps.scoring.inputs import milliseconds
from apps.scoring.models import StageResult
from apps.scoring.plans import END_OF_TIME
from apps.scoring.surroundings import Surroundings, surroundings
from apps.timing.models import EntryCrossing, TimingRecord

# Decisions that bear on the times or the standing a penalty was computed from, whatever its key.
BEARING = frozenset({"set_status", "confirm_time"})


@dataclass(frozen=True, slots=True)
class Tracker:
    """A device while the entry carried it, epoch ms; `code` is its rank in the entry, from 0."""

    code: int
    imei: str
    low: int
    high: int


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """`status` is what the penalty makes of the stage; `device` the tracker whose fixes it rests on."""

    around: Surroundings
    scene: Scene
    fixes: Sequence[TrackFix]
    device: int
    closest: Closest | None
    status: str
    crossings: Sequence[EntryCrossing]
    records: Sequence[TimingRecord]
    decisions: Sequence[Decision]
    trackers: Sequence[Tracker]

    def controls(self) -> list[Control]:
        """The shapes of the scene; a control deleted since has none."""
        known = self.around.controls
        return [known[control] for control in self.scene.controls if control in known]


def evidence(penalty: EntryPenalty, user: AnyUser) -> Evidence:
    """Read with a fixed number of queries; of decisions those that `user` may see."""
    around = surroundings(penalty.stage)
    seen = scene(penalty.type, penalty.inputs, around.setting)
    trackers = _trackers(penalty)
    outcome = _outcome(penalty)
    stretches = seen.stretches or _nearest(seen, around, trackers, outcome)
    gap_ms = penalty.stage.event.gap_limit_seconds * 1000
    fixes = tracks.joined(track_queries.track(_spans(trackers, stretches)), gap_ms)
    place = around.controls.get(seen.nearest)
    closest = tracks.closest(fixes, place) if place else None
    return Evidence(
        around=around,
        scene=seen,
        fixes=fixes,
        device=closest.device if closest else _device(fixes, penalty.inputs.get("fixes", ())),
        closest=closest,
        status=_status(penalty, outcome),
        crossings=_crossings(penalty, seen, around),
        records=_records(penalty, seen, around),
        decisions=list(_decisions(penalty, user, trackers)),
        trackers=trackers,
    )


def _trackers(penalty: EntryPenalty) -> list[Tracker]:
    rows = queries.assignments(str(penalty.stage.event_id), [str(penalty.entry_id)])
    codes: dict[str, int] = {}
    for _, imei, _, _, _ in rows:  # by priority
        codes.setdefault(imei, len(codes))
    return [Tracker(codes[imei], imei, low, high) for _, imei, low, high, _ in rows]


def _spans(trackers: Sequence[Tracker], stretches: Sequence[tuple[int, int]]) -> list[Span]:
    return [
        (t.code, t.imei, max(t.low, low), min(t.high, high))
        for t in trackers
        for low, high in stretches
        if t.low <= high and t.high >= low
    ]


def _nearest(
    seen: Scene, around: Surroundings, trackers: Sequence[Tracker], outcome: Mapping[str, Any]
) -> tuple[tuple[int, int], ...]:
    """The stretch of the track around its nearest fix to a control, while the crew drove that control's segment."""
    control = around.controls.get(seen.nearest)
    if control is None:
        return ()
    lat, lon = control.points[0]
    nearest = track_queries.nearest(_spans(trackers, [_driven(seen.nearest, around, outcome)]), lat, lon)
    return () if nearest is None else ((nearest - AROUND_MS, nearest + AROUND_MS),)


def _driven(control: str, around: Surroundings, outcome: Mapping[str, Any]) -> tuple[int, int]:
    of = next((segment for segment, ends in around.setting.segments.items() if control in ends.between), None)
    time: Mapping[str, Any] = next((one for one in outcome.get("segments", ()) if one["segment"] == of), {})
    until = END_OF_TIME if around.to_ts is None else around.to_ts
    return time.get("start_ts") or around.from_ts, time.get("finish_ts") or until


def _outcome(penalty: EntryPenalty) -> dict[str, Any]:
    rows = StageResult.objects.filter(entry=penalty.entry_id, stage=penalty.stage_id)
    return rows.values_list("outcome", flat=True).first() or {}


def _status(penalty: EntryPenalty, outcome: Mapping[str, Any]) -> str:
    """What the penalty makes of the stage: the row of a penalty does not hold it, the outcome does."""
    for issued in outcome.get("penalties", ()):
        if f"{issued['type']}:{issued['target']}" == penalty.key:
            return str(issued.get("status", ""))
    return ""


def _device(fixes: Sequence[TrackFix], over: Sequence[int]) -> int:
    """The tracker that recorded the most of the instants the penalty rests on; of several the first by priority."""
    wanted = set(over)
    devices = sorted({fix.device for fix in fixes})
    found = {device: sum(fix.device == device and fix.ts in wanted for fix in fixes) for device in devices}
    return max(devices, key=lambda device: (found[device], -device), default=0)


def _crossings(penalty: EntryPenalty, seen: Scene, around: Surroundings) -> list[EntryCrossing]:
    until = END_OF_TIME if around.to_ts is None else around.to_ts
    rows = EntryCrossing.objects.filter(entry=penalty.entry_id, control__in=seen.controls)
    return list(rows.filter(ts__range=(around.from_ts, until)).order_by("ts", "id"))


def _records(penalty: EntryPenalty, seen: Scene, around: Surroundings) -> list[TimingRecord]:
    rows = TimingRecord.objects.filter(entry=penalty.entry_id, control__in=seen.controls).select_related("author")
    until = END_OF_TIME if around.to_ts is None else around.to_ts
    return [row for row in rows if around.from_ts <= milliseconds(row.ts) <= until]


def _decisions(penalty: EntryPenalty, user: AnyUser, trackers: Sequence[Tracker]) -> Iterator[Decision]:
    """Decisions about this penalty or what it rests on, revoked ones too, by number."""
    mine = (Q(entry=penalty.entry_id) | Q(entry=None)) & (Q(stage=penalty.stage_id) | Q(stage=None))
    rows = Decision.objects.filter(mine, event=penalty.stage.event_id).select_related("author", "revoked_by")
    imeis = {tracker.imei for tracker in trackers}
    for row in policy.visible(user, rows).order_by("number"):
        if _bears(row, penalty, imeis):
            yield row


def _bears(row: Decision, penalty: EntryPenalty, imeis: set[str]) -> bool:
    if row.kind == "faulty_fixes":
        return row.params.get("device") in imeis
    if row.kind == "impose_penalty" or row.pk == penalty.decision_id:
        return row.pk == penalty.decision_id
    if "key" in KINDS[row.kind].parameters:
        return bool(row.params.get("key") == penalty.key)
    return row.kind in BEARING
