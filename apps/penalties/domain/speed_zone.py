"""Speeding in a zone: one infringement per zone and stage, whatever the number of exceedances (3.3-3.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.penalties.domain.formulas import Formula, Issued, applicable, bracket
from apps.penalties.domain.pulses import Hold, Pulse, believed, excesses, pulses, runs
from apps.penalties.domain.registry import Offences, Terms, ZoneDrive, register
from apps.penalties.domain.speed_modes import MODES, Excess, price
from apps.timing.domain.zone_intervals import DZ_MISSED

TYPE = "speed_zone"
SINGLE_FIX = "single fix over the limit"
NO_BRACKET = "no bracket for this excess"


@dataclass(frozen=True, slots=True)
class _Measured:
    runs: tuple[tuple[Hold, ...], ...]
    spikes: tuple[Hold, ...]
    reviews: tuple[str, ...]

    def holds(self) -> list[Hold]:
        return [hold for run in self.runs for hold in run]

    def pulses(self) -> list[Pulse]:
        return [pulse for run in self.runs for pulse in pulses(run)]


@register(TYPE, "Speeding in a zone", Terms(unit="whole km/h over the limit", modes=frozenset(MODES), targets="zone"))
def speed_zone(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one penalty per zone that a formula prices; its inputs freeze limit, peak, pulses, fixes.

    What only calls for a look (a single fix over the limit, a missed DZ, an excess no bracket holds) is
    issued with 0 ms and its reasons under `review`.
    """
    issued = []
    for drive in offences.zones:
        table = applicable(formulas, drive.zone, offences.race_class)
        penalty = _penalty(drive, table) if table else None
        if penalty is not None:
            issued.append(penalty)
    return issued


def _penalty(drive: ZoneDrive, table: Sequence[Formula]) -> Issued | None:
    measured = _measure(drive)
    if measured.runs:
        return _infringement(drive, table, measured)
    if measured.spikes or DZ_MISSED in measured.reviews:
        return _issue(drive, measured, None, _Priced(0, table[0]))
    return None


@dataclass(frozen=True, slots=True)
class _Priced:
    ms: int
    formula: Formula
    arithmetic: str = ""
    review: str = ""


def _infringement(drive: ZoneDrive, table: Sequence[Formula], measured: _Measured) -> Issued | None:
    excess = Excess(tuple(measured.holds()), tuple(measured.pulses()))
    if excess.worst < table[0].offence_min:
        return None
    top = bracket(table, excess.worst)
    if top is None:
        return _issue(drive, measured, excess, _Priced(0, table[0], review=NO_BRACKET))
    ms, arithmetic = price(top.mode, table, excess)
    return _issue(drive, measured, excess, _Priced(ms, top, arithmetic))


def _measure(drive: ZoneDrive) -> _Measured:
    found = [run for fixes in drive.fixes for run in runs(fixes, excesses(fixes, drive.limit_kmh, drive.tolerance_kmh))]
    spikes = tuple(hold for run in found if not believed(run) for hold in run)
    reviews = [interval.review for interval in drive.intervals if interval.review]
    return _Measured(
        tuple(run for run in found if believed(run)),
        spikes,
        (*reviews, *([SINGLE_FIX] if spikes else [])),
    )


def _issue(drive: ZoneDrive, measured: _Measured, excess: Excess | None, priced: _Priced) -> Issued:
    reviews = [*measured.reviews, *([priced.review] if priced.review else [])]
    inputs: dict[str, Any] = {
        "zone": drive.zone,
        "segment": drive.segment,
        "limit_kmh": drive.limit_kmh,
        "tolerance_kmh": drive.tolerance_kmh,
        "intervals": [[interval.from_ts, interval.to_ts] for interval in drive.intervals],
        "spikes": [[spike.ts, spike.speed] for spike in measured.spikes],
        "mode": priced.formula.mode,
        "review": reviews,
        "arithmetic": priced.arithmetic,
    }
    if excess is not None:
        inputs |= _excess_inputs(excess)
    formula = priced.formula
    seen = excess.holds if excess is not None else measured.spikes
    fixes = tuple(hold.ts for hold in seen)
    return Issued(formula.id, TYPE, drive.zone, priced.ms, inputs, formula.applies_to, formula.article, fixes)


def _excess_inputs(excess: Excess) -> dict[str, Any]:
    peak = max(excess.holds, key=lambda hold: (hold.speed, -hold.ts))
    return {
        "peak_kmh": peak.speed,
        "excess_kmh": excess.worst,
        "place": [peak.lat, peak.lon],
        "peak_ts": peak.ts,
        "pulses": [[pulse.ts, pulse.excess] for pulse in excess.pulses],
    }
