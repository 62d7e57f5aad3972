"""Times of segments from passages (rulebook 5)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SegmentTime:
    """A segment as driven by one entry: instants in epoch ms, durations in ms.

    `raw_ms` = finish − start − neutralised; `net_ms` = raw truncated once and clamped (5.3, 5.4).
    `note` says what an official should know, "" when nothing.
    """

    segment: str
    start_ts: int | None
    finish_ts: int | None
    raw_ms: int | None
    net_ms: int | None
    note: str = ""
