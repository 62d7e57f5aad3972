"""Small builders for penalty tests."""

from collections.abc import Sequence

from apps.course.domain.fixes import Fixes
from apps.penalties.domain.evaluate import evaluate
from apps.penalties.domain.formulas import Formula
from apps.penalties.domain.registry import Offences, ZoneDrive
from apps.timing.domain.zone_intervals import ZoneInterval
from apps.timing.tests.domain.build import T0, at

MINUTE = 60_000


def speed_table(*rows: tuple[float, float | None, int], mode: str = "flat_max") -> list[Formula]:
    """Formulas of brackets (min, max, ms)."""
    return [
        Formula(f"s{i}", "speed_zone", offence_min=low, offence_max=high, penalty_ms=ms, mode=mode)
        for i, (low, high, ms) in enumerate(rows)
    ]


def driven(fixes: Fixes, limit_kmh: float = 50, review: str = "") -> Offences:
    """A zone `z` that binds for the whole of the fixes."""
    interval = ZoneInterval(at(0), at(100_000), review)
    return Offences("C-2", zones=(ZoneDrive("z", "ss", limit_kmh, 0.0, (interval,), (fixes,)),))


def example_3() -> Sequence[float]:
    """Worked example 3: 48, 25 s at 65, 47, 12 s at 75, 45 km/h; one value per second."""
    return [48.0] * 10 + [65.0] * 25 + [47.0] * 25 + [75.0] * 12 + [45.0] * 5


def hms(text: str) -> int:
    """A time of 6 June 2026 UTC, "hh:mm:ss" with any decimals, as epoch ms."""
    hours, minutes, seconds = text.split(":")
    return T0 - 6 * 3_600_000 + int(hours) * 3_600_000 + int(minutes) * MINUTE + round(float(seconds) * 1000)


def total(offences: Offences, formulas: Sequence[Formula]) -> int:
    """The sum of all penalties, ms."""
    return sum(penalty.ms for penalty in evaluate(offences, formulas))
