"""Start lists: who starts when (rulebook 7.1, 7.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IntervalBand:
    """From this position on, `together` entries start at one instant, `interval_ms` after those before."""

    from_position: int
    interval_ms: int
    together: int = 1


def start_times(count: int, first_ts: int, bands: Sequence[IntervalBand]) -> list[int]:
    """Instants (epoch ms) of positions 1..count.

    The interval is of the band of the later starter; a pair shares one instant. Raises ValueError when the
    bands do not begin at position 1 or a band has no sense.
    """
    ordered = sorted(bands, key=lambda band: band.from_position)
    _check(ordered)
    instants: list[int] = []
    ts = first_ts
    for position in range(1, count + 1):
        band = next(b for b in reversed(ordered) if b.from_position <= position)
        if position > 1 and (position - band.from_position) % band.together == 0:
            ts += band.interval_ms
        instants.append(ts)
    return instants


def inverse_top(ranked: Sequence[T], top: int) -> list[T]:
    """Ranks `top`..1, then the others in natural order; `top` = len gives the inverse of all (7.1)."""
    return [*reversed(ranked[:top]), *ranked[top:]]


def _check(bands: Sequence[IntervalBand]) -> None:
    if not bands or bands[0].from_position != 1:
        raise ValueError("the first interval band must begin at position 1")
    wrong = next((b for b in bands if b.interval_ms < 0 or b.together < 1), None)
    if wrong is not None:
        raise ValueError(f"interval band from position {wrong.from_position}: {wrong}")
