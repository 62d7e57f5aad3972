"""What officials decide about the time of a segment (rulebook 8.2-8.4)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A part of a segment that does not count, between two controls (8.2)."""

    from_control: str
    to_control: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Of one segment: time given back (8.4), a time awarded instead of the driven one (8.3), parts taken out, and the
    bonus of those who opened the road (7.3); ms.

    A notional time `for_all` is of those who were on the stage: it makes no finisher of who never came.
    """

    credit_ms: int = 0
    notional_ms: int | None = None
    excluded: tuple[Exclusion, ...] = ()
    bonus_ms: int = 0
    for_all: bool = False
