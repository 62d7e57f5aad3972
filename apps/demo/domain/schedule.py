"""When the demo rally is held: in the middle of its first stage when it is opened, and never ahead of the clock."""

from dataclasses import dataclass

from apps.demo.domain.course import DRIVE_MS, FIRST_TS, MINUTE_MS, StageCourse, build_course

# After the first start of stage 1: the road is full, and the first finishers are near.
OPENS_MS = 20 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class RallyClock:
    """Rally time by the wall clock's, both epoch ms: `rally` at `wall`, then `speed` seconds a second."""

    wall: int
    rally: int
    speed: float

    def at(self, wall: int) -> int:
        return self.rally + int((wall - self.wall) * self.speed)


def clock_for(speed: float, now: int, spread_ms: int) -> RallyClock:
    """What the rally's clock says while it is played from `now` on.

    A fix from the future counts nowhere (design §4), so rally time is never ahead of the wall's. At speed 1 (and
    below) it begins with it; the faster, the further back it begins, and both meet when the field is home. Speed 0
    sends all at once: it has been home for a moment.
    """
    opens, ends = _span(spread_ms)
    lead = 1.0 if speed == 0 else max(0.0, 1 - 1 / speed)
    return RallyClock(now, now - int((ends - opens) * lead), speed)


def course_at(clock: RallyClock, seed: int, spread_ms: int) -> tuple[StageCourse, ...]:
    """The course of a rally that is in the middle of its first stage when the clock begins; by whole minutes."""
    opens, _ = _span(spread_ms)
    begins = (clock.rally - opens) // MINUTE_MS * MINUTE_MS
    return build_course(seed, begins, spread_ms)


def _span(spread_ms: int) -> tuple[int, int]:
    """(opening, end) in ms after the rally's beginning."""
    stages = build_course(0, FIRST_TS, spread_ms)
    opens, last = stages[1].first_start_ts + OPENS_MS, stages[-1].first_start_ts
    return opens - FIRST_TS, last + spread_ms + DRIVE_MS[-1] - FIRST_TS
