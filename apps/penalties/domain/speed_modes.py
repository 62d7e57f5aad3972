"""The five maths from brackets to time (rulebook 3.5)."""

from collections.abc import Callable
from dataclasses import dataclass

from apps.penalties.domain.brackets import Table, marginal
from apps.penalties.domain.formulas import bracket, clock
from apps.penalties.domain.pulses import Hold, Pulse


@dataclass(frozen=True, slots=True)
class Excess:
    """The speeding of one infringement: every fix over the limit and every pulse."""

    holds: tuple[Hold, ...]
    pulses: tuple[Pulse, ...]

    @property
    def worst(self) -> int:
        """The highest excess, whole km/h."""
        return max(hold.excess for hold in self.holds)


def price(mode: str, table: Table, excess: Excess) -> tuple[int, str]:
    """(ms, the arithmetic in words) by the mode's name; ValueError for an unknown mode."""
    if mode not in MODES:
        raise ValueError(f"unknown bracket mode {mode!r}: one of {', '.join(MODES)}")
    ms, words = MODES[mode](table, excess)
    return ms, f"{words} = {clock(ms)}"


def _value(table: Table, excess: int) -> int:
    row = bracket(table, excess)
    return row.penalty_ms if row else 0


def _flat_max(table: Table, excess: Excess) -> tuple[int, str]:
    return _value(table, excess.worst), f"bracket of {excess.worst} km/h over"


def _per_impulse(table: Table, excess: Excess) -> tuple[int, str]:
    values = [_value(table, pulse.excess) for pulse in excess.pulses]
    return sum(values), " + ".join(map(clock, values)) or "no pulse"


def _whole(table: Table, excess: Excess) -> tuple[int, str]:
    count, value = len(excess.pulses), _value(table, excess.worst)
    return count * value, f"{count} pulses × {clock(value)}"


def _marginal(table: Table, excess: Excess) -> tuple[int, str]:
    return marginal(table, excess.worst, "km/h")


def _per_second(table: Table, excess: Excess) -> tuple[int, str]:
    """Each fix's speed lasts until the next; truncated to ms once, on the sum."""
    weighted = sum(hold.ms * _value(table, hold.excess) for hold in excess.holds)
    spent = sum(hold.ms for hold in excess.holds)
    return weighted // 1000, f"{spent / 1000:g} s over the limit, each at its bracket's rate"


MODES: dict[str, Callable[[Table, Excess], tuple[int, str]]] = {
    "flat_max": _flat_max,
    "per_impulse": _per_impulse,
    "whole": _whole,
    "marginal": _marginal,
    "per_second": _per_second,
}
