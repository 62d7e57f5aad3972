"""A stage scored: from the evidence of one entry, and what officials decided, to its outcome."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from apps.penalties.domain import lateness, missed_waypoint
from apps.penalties.domain.decisions import Overlay
from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.domain.lumps import on_account
from apps.penalties.domain.registry import Before, Offences
from apps.scoring.domain.offences import (
    late_passages,
    lost_starts,
    maximum_ms,
    neutral_stays,
    segment_drives,
    starts,
    zone_drives,
)
from apps.scoring.domain.outcome import StageOutcome, digest
from apps.scoring.domain.readings import Evidence, StageReading, read_stage
from apps.scoring.domain.status import GONE, LUMPED, Status, contradiction, decide, entailed
from apps.scoring.domain.time_checks import behind_ms, time_checks
from apps.timing.domain.exits import UNPROVEN
from apps.timing.domain.plan import StagePlan

# The penalties that stand for a time; a fixed penalty comes on top of one.
LUMPS = frozenset({"dnf_lump", "dns_lump"})


def score_stage(plan: StagePlan, formulas: Sequence[Formula], evidence: Evidence) -> StageOutcome:
    """The outcome of one entry in one stage from its evidence alone.

    Pure: the same evidence in any order gives the same outcome and hash. Raises ValueError for a formula
    no evaluator knows.
    """
    reading = read_stage(plan, evidence)
    offences = _offences(reading, evidence)
    verdict = _judge(reading, offences, formulas, evidence)
    outcome = _outcome(reading, verdict, evidence)
    counts = {**outcome.counts, **lateness.on_account(offences, formulas)}
    outcome = replace(outcome, counts=dict(sorted(counts.items())))
    return replace(outcome, inputs_hash=digest(outcome, reading.crossings))


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


def _offences(reading: StageReading, evidence: Evidence) -> Offences:
    plan, segments = reading.plan, reading.segments
    return Offences(
        race_class=evidence.race_class,
        missed=reading.missed(),
        validated=reading.validated(),
        total=sum(len(segment.counted()) for segment in plan.segments if segment.special),
        finished=reading.finished(),
        zones=zone_drives(plan, reading.crossings, segments, (evidence.fixes, evidence.race_class)),
        late=late_passages(segments),
        checks=tuple(time_checks(segments, behind_ms(plan, evidence.assigned_starts))),
        starts=starts(segments, evidence.assigned_starts),
        neutral=neutral_stays(segments),
        segments=segment_drives(segments),
        incidents=tuple(sorted(evidence.incidents, key=lambda i: (i.ts, i.id))),
        before=evidence.before,
        maximum_ms=maximum_ms(plan),
        waived=evidence.overlay.waived,
        unproved=reading.unproved,
        in_doubt=_in_doubt(reading, evidence.overlay),
    )


def _in_doubt(reading: StageReading, overlay: Overlay) -> frozenset[str]:
    """The waypoints not proved missed that are not held against the crew: no official confirmed the miss, or one
    waived it (2.2)."""
    keys = {waypoint: f"{missed_waypoint.TYPE}:{waypoint}" for waypoint in reading.unproved}
    open_ = not reading.plan.price_unproved
    return frozenset(w for w, key in keys.items() if key in overlay.waived or open_ and key not in overlay.upheld)


def _judge(reading: StageReading, offences: Offences, formulas: Sequence[Formula], evidence: Evidence) -> _Verdict:
    """Price the offences, see what status follows, and price that status in its turn."""
    evident = reading.status()
    word = evidence.overlay.status or evidence.status
    verdict = _verdict(evaluate(offences, formulas), word, evident, evidence.overlay)
    gone = not evidence.overlay.status and evidence.status in GONE
    if verdict.status not in LUMPED or gone:
        return verdict  # a crew that has left the event is not carried along by lumps
    # Who is still driving may yet come to the next control; whom officials took out will not.
    behind = behind_ms(reading.plan, evidence.assigned_starts)
    checks = time_checks(reading.segments, behind, ended=word in LUMPED)
    final = replace(offences, status=verdict.status.value, checks=tuple(checks))
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


def _outcome(reading: StageReading, verdict: _Verdict, evidence: Evidence) -> StageOutcome:
    time_ms, penalty_ms = reading.time_ms(), _sum(verdict.counting, "stage")
    last_control, last_ts = reading.last()
    keys = {penalty.key for penalty in verdict.issued}
    in_doubt = _in_doubt(reading, evidence.overlay)
    return StageOutcome(
        entry=evidence.entry,
        status=verdict.status,
        segments=reading.times(),
        time_ms=time_ms,
        penalties=verdict.issued,
        penalty_ms=penalty_ms,
        total_ms=_total(verdict, time_ms, penalty_ms),
        missed=tuple(waypoint.id for waypoint in reading.missed() if waypoint.id not in in_doubt),
        in_doubt=tuple(waypoint.id for waypoint in reading.missed() if waypoint.id in in_doubt),
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


def _conflicts(reading: StageReading, verdict: _Verdict, evidence: Evidence) -> tuple[str, ...]:
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
