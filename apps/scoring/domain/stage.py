"""A stage scored: from the evidence of one entry, and what officials decided, to its outcome."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from apps.course.domain.crossings import Crossing
from apps.course.domain.fixes import Fixes
from apps.penalties.domain.decisions import Overlay
from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.domain.lumps import on_account
from apps.penalties.domain.registry import Before, Incident, Offences
from apps.scoring.domain.offences import (
    Driven,
    driven,
    late_passages,
    lost_starts,
    maximum_ms,
    neutral_stays,
    segment_drives,
    starts,
    time_checks,
    zone_drives,
)
from apps.scoring.domain.outcome import StageOutcome, digest
from apps.scoring.domain.status import GONE, LUMPED, Status, contradiction, decide, entailed
from apps.timing.domain.exits import UNPROVEN, left_for_good, unproven
from apps.timing.domain.marks import Mark, Marks, by_control
from apps.timing.domain.passages import Record, record
from apps.timing.domain.plan import StagePlan, WaypointPlan
from apps.timing.domain.segment_times import Facts, SegmentTime, segment_times

# The penalties that stand for a time; a fixed penalty comes on top of one.
LUMPS = frozenset({"dnf_lump", "dns_lump"})


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of one entry in one stage, and what was decided about it.

    `fixes` holds all devices of the entry (what the speed zones need is enough); device codes are in order
    of priority, lowest first. `assigned_starts` maps segment id to epoch ms. `status` is an official's
    word on the whole event or "". `before` is what earlier stages put on the entry's account.
    """

    entry: str
    race_class: str
    crossings: tuple[Crossing, ...]
    fixes: Fixes
    assigned_starts: Mapping[str, int] = field(default_factory=dict)
    status: str = ""
    overlay: Overlay = field(default_factory=Overlay)
    marks: tuple[Mark, ...] = ()
    incidents: tuple[Incident, ...] = ()
    before: Before = field(default_factory=Before)


def score_stage(plan: StagePlan, formulas: Sequence[Formula], evidence: Evidence) -> StageOutcome:
    """The outcome of one entry in one stage from its evidence alone.

    Pure: the same evidence in any order gives the same outcome and hash. Raises ValueError for a formula
    no evaluator knows.
    """
    reading = _read(plan, evidence)
    verdict = _judge(reading, _offences(reading, evidence), formulas, evidence)
    outcome = _outcome(reading, verdict, evidence)
    return replace(outcome, inputs_hash=digest(outcome, reading.crossings))


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """What the evidence shows, before rules and statuses."""

    plan: StagePlan
    crossings: Record
    marks: Marks
    segments: tuple[Driven, ...]
    drifted: tuple[str, ...]  # neutralisations left by too few fixes

    def times(self) -> tuple[SegmentTime, ...]:
        return tuple(one.time for one in self.segments)

    def missed(self) -> tuple[WaypointPlan, ...]:
        return tuple(waypoint for one in self.segments for waypoint in one.waypoints.missed)

    def not_validated(self) -> tuple[WaypointPlan, ...]:
        """All that a crew which drives no further has left out."""
        got = {v.waypoint.id for one in self.segments for v in one.waypoints.validated}
        return tuple(w for s in self.plan.ordered() if s.special for w in s.counted() if w.id not in got)

    def validated(self) -> int:
        return sum(len(one.waypoints.validated) for one in self.segments)

    def splits(self) -> tuple[int | None, ...]:
        return tuple(one.time.net_ms for one in self.segments if one.segment.special)

    def finished(self) -> bool:
        """All special stages finished; of a stage without any, all segments that have a finish."""
        splits = self.splits()
        if splits:
            return None not in splits
        ends = [one.time.finish_ts for one in self.segments if one.segment.finish is not None]
        return bool(ends) and None not in ends

    def time_ms(self) -> int | None:
        """The special stages finished so far; None before the first."""
        known = [split for split in self.splits() if split is not None]
        return sum(known) if known or self.finished() else None

    def last(self) -> tuple[str, int | None]:
        """The control passed last, and when."""
        every: list[Crossing | Mark] = [c for of_control in self.crossings.values() for c in of_control]
        every += [mark for of_control in self.marks.values() for mark in of_control]
        latest = max(every, key=lambda c: (c.ts, c.control), default=None)
        return (latest.control, latest.ts) if latest else ("", None)

    def status(self) -> Status:
        """Where the evidence puts the entry."""
        if self.finished():
            return Status.FINISHED
        return Status.RUNNING if self.crossings or self.marks else Status.REGISTERED


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The penalties, and the status they and the officials make of the evidence."""

    issued: tuple[Issued, ...]
    counting: tuple[Issued, ...]
    status: Status
    evident: Status

    @property
    def lumped(self) -> bool:
        """Whether a lump stands for the time of a stage that was not finished or not started (6.4)."""
        return any(penalty.type in LUMPS for penalty in self.counting)


def _read(plan: StagePlan, evidence: Evidence) -> _Reading:
    adjustments = evidence.overlay.adjustments
    taken_out = [name for a in adjustments.values() for e in a.excluded for name in (e.from_control, e.to_control)]
    crossings = record(evidence.crossings, plan, also=taken_out)
    of_plan = plan.controls()
    usable = [m for m in (*evidence.marks, *evidence.overlay.marks) if m.control in of_plan and plan.contains(m.ts)]
    marks = by_control(usable)
    proven = left_for_good(plan, crossings, evidence.fixes)
    times = segment_times(plan, proven, Facts(evidence.assigned_starts, marks, adjustments, evidence.race_class))
    drifted = tuple(unproven(plan, crossings, proven))
    return _Reading(plan, crossings, marks, driven(plan, crossings, times), drifted)


def _offences(reading: _Reading, evidence: Evidence) -> Offences:
    plan, segments = reading.plan, reading.segments
    return Offences(
        race_class=evidence.race_class,
        missed=reading.missed(),
        validated=reading.validated(),
        total=sum(len(segment.counted()) for segment in plan.segments if segment.special),
        finished=reading.finished(),
        zones=zone_drives(plan, reading.crossings, segments, (evidence.fixes, evidence.race_class)),
        late=late_passages(segments),
        checks=time_checks(segments),
        starts=starts(segments, evidence.assigned_starts),
        neutral=neutral_stays(segments),
        segments=segment_drives(segments),
        incidents=tuple(sorted(evidence.incidents, key=lambda i: (i.ts, i.id))),
        before=evidence.before,
        maximum_ms=maximum_ms(plan),
        waived=evidence.overlay.waived,
    )


def _judge(reading: _Reading, offences: Offences, formulas: Sequence[Formula], evidence: Evidence) -> _Verdict:
    """Price the offences, see what status follows, and price that status in its turn."""
    evident = reading.status()
    word = evidence.overlay.status or evidence.status
    verdict = _verdict(evaluate(offences, formulas), word, evident, evidence.overlay)
    gone = not evidence.overlay.status and evidence.status in GONE
    if verdict.status not in LUMPED or gone:
        return verdict  # a crew that has left the event is not carried along by lumps
    # Who is still driving may yet come to the next control; whom officials took out will not.
    checks = time_checks(reading.segments, ended=word in LUMPED)
    final = replace(offences, status=verdict.status.value, checks=checks)
    lumped = _verdict(evaluate(final, formulas), word, evident, evidence.overlay)
    if lumped.lumped and _counts_missed(lumped, formulas):
        final = replace(final, missed=reading.not_validated())
        lumped = _verdict(evaluate(final, formulas), word, evident, evidence.overlay)
    return lumped


def _verdict(issued: Iterable[Issued], word: str, evident: Status, overlay: Overlay) -> _Verdict:
    every = (*(_edited(p, overlay) for p in issued), *overlay.imposed)
    counting = tuple(p for p in every if overlay.counts(p))
    return _Verdict(every, counting, entailed(decide(word, evident), [p.status for p in counting]), evident)


def _edited(issued: Issued, overlay: Overlay) -> Issued:
    """The penalty with the value an official set; what the rule gave stays among the inputs."""
    ms = overlay.edited.get(issued.key)
    if ms is None:
        return issued
    return replace(issued, ms=ms, inputs={**issued.inputs, "by_the_rule_ms": issued.ms})


def _counts_missed(verdict: _Verdict, formulas: Sequence[Formula]) -> bool:
    """Whether the lump comes on top of all waypoints left out, as in FIM 80.24."""
    used = {penalty.formula for penalty in verdict.counting if penalty.type in LUMPS}
    return any(formula.params.get("count_missed", True) for formula in formulas if formula.id in used)


def _outcome(reading: _Reading, verdict: _Verdict, evidence: Evidence) -> StageOutcome:
    time_ms, penalty_ms = reading.time_ms(), _sum(verdict.counting, "stage")
    last_control, last_ts = reading.last()
    keys = {penalty.key for penalty in verdict.issued}
    return StageOutcome(
        entry=evidence.entry,
        status=verdict.status,
        segments=reading.times(),
        time_ms=time_ms,
        penalties=verdict.issued,
        penalty_ms=penalty_ms,
        total_ms=_total(verdict, time_ms, penalty_ms),
        missed=tuple(waypoint.id for waypoint in reading.missed()),
        validated=reading.validated(),
        last_control=last_control,
        last_ts=last_ts,
        overall_penalty_ms=_sum(verdict.counting, "overall"),
        start_order_penalty_ms=_sum(verdict.counting, "start_order"),
        splits=reading.splits(),
        waived=tuple(penalty.key for penalty in verdict.issued if penalty.key in evidence.overlay.waived),
        conflicts=_conflicts(reading, verdict, evidence),
        signed={key: identity for key, identity in evidence.overlay.signed.items() if key in keys},
        counts=_counts(verdict, evidence.before),
    )


def _total(verdict: _Verdict, time_ms: int | None, penalty_ms: int) -> int | None:
    """Time and penalties of a finished stage; the lump and penalties of one that was not (6.4)."""
    if verdict.status is Status.FINISHED and time_ms is not None:
        return time_ms + penalty_ms
    return penalty_ms if verdict.status in LUMPED and verdict.lumped else None


def _sum(issued: Sequence[Issued], classification: str) -> int:
    return sum(penalty.ms for penalty in issued if classification in penalty.applies_to)


def _counts(verdict: _Verdict, before: Before) -> dict[str, int]:
    """A stage not started is on the account with a lump, without one, and where the lump was waived."""
    counts = Counter(penalty.counts_as for penalty in verdict.counting)
    started = verdict.evident is not Status.REGISTERED
    of_days = on_account(before, started=started, not_started=verdict.status is Status.DNS)
    return dict(sorted({**counts, **of_days}.items()))


def _conflicts(reading: _Reading, verdict: _Verdict, evidence: Evidence) -> tuple[str, ...]:
    """What officials should look at: evidence against evidence, or decisions against evidence."""
    orphans = [f"decision on {key}, which is not issued any more" for key in _orphans(verdict, evidence.overlay)]
    against = contradiction(verdict.status, verdict.evident, evidence.status)
    orphans = [*([against] if against else []), *orphans]
    if not reading.crossings and not reading.marks:
        return tuple(orphans)
    notes = [f"{time.segment}: {text}" for time in reading.times() for text in (time.note, *time.reviews) if text]
    lost = lost_starts(reading.plan, reading.crossings, reading.times())
    notes += [f"{segment}: {UNPROVEN}" for segment in reading.drifted]
    notes += [f"{segment}: driven, but its start was not crossed" for segment in lost]
    return (*notes, *orphans)


def _orphans(verdict: _Verdict, overlay: Overlay) -> list[str]:
    return sorted(overlay.signed.keys() - {penalty.key for penalty in verdict.issued})
