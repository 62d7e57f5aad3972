"""When a crew was due at the time controls of a stage, and when it was there (rulebook 4.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from apps.penalties.domain.registry import TimeCheck
from apps.scoring.domain.offences import Driven
from apps.timing.domain.plan import SegmentType, StagePlan

MINUTE_MS = 60_000


def time_checks(segments: Sequence[Driven], behind_ms: int | None = None, *, ended: bool = False) -> list[TimeCheck]:
    """The time controls at the end of timed road sections (4.1).

    Due is the departure, written with its seconds dropped like every time on the card, plus the target; or by the
    timetable, `behind_ms` after who starts with the stage (None = the crew has no start time). One that was not visited
    is missed once the crew is seen further on, or when it has `ended` its drive.
    """
    return [
        replace(check, ended=ended)
        for n, one in enumerate(segments)
        if (check := _check(one, behind_ms)) is not None
        and (
            check.recorded_ts is not None
            or _seen(segments[n + 1 :])
            or (ended and (not check.scheduled or _seen(segments[: n + 1])))
        )
    ]


def behind_ms(plan: StagePlan, assigned: Mapping[str, int]) -> int | None:
    """How much later than the stage begins the crew was to start; None where it has no start time."""
    first = next((assigned[segment.id] for segment in plan.ordered() if segment.id in assigned), None)
    return None if first is None else first - plan.from_ts


def _check(one: Driven, behind: int | None) -> TimeCheck | None:
    segment, time = one.segment, one.time
    timed = not segment.special and segment.type is not SegmentType.NEUTRALISATION
    due_ts = _due(one, behind)
    if not timed or segment.finish is None or due_ts is None:
        return None
    return TimeCheck(
        segment=segment.id,
        control=segment.finish.control,
        due_ts=due_ts,
        recorded_ts=None if time.finish_ts is None else _minute(time.finish_ts),
        source=time.finish_source,
        kind=segment.end_control,
        allowance_ms=time.credit_ms,
        scheduled=segment.scheduled_ts is not None,
    )


def _due(one: Driven, behind: int | None) -> int | None:
    segment, time = one.segment, one.time
    if segment.scheduled_ts is not None:
        return None if behind is None else _minute(segment.scheduled_ts + behind)
    return None if segment.target_ms is None or time.start_ts is None else _minute(time.start_ts) + segment.target_ms


def _seen(segments: Sequence[Driven]) -> bool:
    """Whether any control of these segments was passed; an assigned start is no passage."""
    return any(one.time.driven_ts is not None or one.time.finish_ts is not None for one in segments)


def _minute(ts: int) -> int:
    return ts - ts % MINUTE_MS
