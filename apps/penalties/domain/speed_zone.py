"""Speeding in a zone: one infringement per zone and stage, whatever the number of exceedances (3.3-3.6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Literal

from apps.common.said import Said
from apps.penalties.domain.brackets import NO_BRACKET, Priced, Table
from apps.penalties.domain.formulas import Formula, Issued, applicable, bracket, clock
from apps.penalties.domain.pulses import Hold, Pulse, PulseRule, believed, excesses, pulses, runs
from apps.penalties.domain.registry import Before, Offences, Terms, ZoneDrive, register, table_settings
from apps.penalties.domain.second_tracker import Comparison, differences
from apps.penalties.domain.speed_modes import MODES, Excess, price
from apps.timing.domain.zone_intervals import DZ_MISSED

TYPE = "speed_zone"
# What only calls for a look is no infringement: it is not counted towards a repeated one.
REVIEWED = "speed_zone_review"
SINGLE_FIX = "single fix over the limit"
__all__ = ["NO_BRACKET", "SINGLE_FIX", "SpeedParameters", "speed_zone"]


@dataclass(frozen=True, slots=True)
class SpeedParameters:
    """Settings of a table of speeds (3.2, 3.3, 3.5).

    The n-th infringement within `scope` is multiplied by the n-th of `repeat` (the last one holds on), then capped
    at `cap_ms` (0 = no cap). A run over the limit counts from `min_fixes` fixes. Pulses come each `pulse_m` metres or
    `pulse_ms`, whichever first (0 = not used). Another tracker of the vehicle that differs by `discrepancy_kmh` and
    would give another bracket raises an alarm. `fine` is told, not computed.
    """

    repeat: tuple[float, ...] = (1.0,)
    scope: Literal["stage", "leg", "event"] = "stage"
    cap_ms: int = 0
    first_pulse: Literal["onset", "after_interval"] = "onset"
    rounding: Literal["floor", "ceil"] = "floor"
    min_fixes: int = 2
    pulse_m: float = 150.0
    pulse_ms: int = 10_000
    discrepancy_kmh: float = 5.0
    fine: str = ""

    def pulse_rule(self) -> PulseRule:
        """The pulse rule of these settings."""
        return PulseRule(self.pulse_m, self.pulse_ms, self.first_pulse == "onset")

    def multiplier(self, number: int) -> float:
        """k of the n-th infringement, from 1."""
        return self.repeat[min(number, len(self.repeat)) - 1] if self.repeat else 1.0

    def earlier(self, before: Before) -> int:
        """Infringements of earlier stages that count towards a repeated one."""
        accounts: Mapping[str, Mapping[str, int]] = {"event": before.event, "leg": before.leg}
        return accounts.get(self.scope, {}).get(TYPE, 0)


@dataclass(frozen=True, slots=True)
class _Measured:
    drive: ZoneDrive
    table: Table
    settings: SpeedParameters
    runs: tuple[tuple[Hold, ...], ...]
    spikes: tuple[Hold, ...]

    def excess(self) -> Excess | None:
        """The speeding that is believed, if there is any the table prices."""
        if not self.runs:
            return None
        rule = self.settings.pulse_rule()
        emitted: list[Pulse] = [pulse for run in self.runs for pulse in pulses(run, rule)]
        excess = Excess(tuple(hold for run in self.runs for hold in run), tuple(emitted))
        return None if excess.worst < self.table[0].offence_min else excess

    def reviews(self) -> list[str]:
        """What the intervals, single fixes and other trackers ask to be looked at."""
        notes = [i.review for i in self.drive.intervals if i.review] + [SINGLE_FIX] * bool(self.spikes)
        return [*notes, *self.differences()]

    def differences(self) -> list[str]:
        """What other trackers of the vehicle tell otherwise."""
        s = self.settings
        by = Comparison(self.table, s.discrepancy_kmh, s.min_fixes, s.rounding)
        return list(differences(self.drive, [hold for run in self.runs for hold in run], by))


TERMS = Terms(Said("whole km/h over the limit"), frozenset(MODES), "zone", SpeedParameters)


@register(TYPE, Said("Speeding in a zone"), TERMS)
def speed_zone(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one penalty per zone that a formula prices; its inputs freeze limit, peak, pulses, fixes.

    What only calls for a look (a single fix over the limit, a missed DZ, an excess no bracket holds) is
    issued with 0 ms and its reasons under `review`. Infringements are numbered by their first fix; one that was
    waived gives its number to the next.
    """
    measured = [
        _measure(drive, table)
        for drive in offences.zones
        if (table := applicable(formulas, drive.zone, offences.race_class))
    ]
    found = [(one, one.excess()) for one in measured]
    offending = sorted(((one, e) for one, e in found if e), key=lambda pair: (pair[1].holds[0].ts, pair[0].drive.zone))
    waived = offences.waived_targets(TYPE)
    counts = accumulate((one.drive.zone not in waived for one, _ in offending), initial=0)
    issued = [
        _infringement(one, excess, 1 + count + one.settings.earlier(offences.before))
        for count, (one, excess) in zip(counts, offending, strict=False)
    ]
    return issued + [_look(one) for one, e in found if e is None and _worth_a_look(one)]


def _measure(drive: ZoneDrive, table: Table) -> _Measured:
    settings = table_settings(table, SpeedParameters)
    found = [
        run
        for fixes in drive.fixes
        for run in runs(fixes, excesses(fixes, drive.limit_kmh, drive.tolerance_kmh, settings.rounding))
    ]
    sure = tuple(run for run in found if believed(run, settings.min_fixes))
    spikes = tuple(hold for run in found if not believed(run, settings.min_fixes) for hold in run)
    return _Measured(drive, table, settings, sure, spikes)


def _worth_a_look(measured: _Measured) -> bool:
    if measured.runs:
        return False
    return bool(measured.spikes or measured.differences()) or DZ_MISSED in measured.reviews()


def _look(measured: _Measured) -> Issued:
    fixes = tuple(spike.ts for spike in measured.spikes)
    return _issue(measured, Priced(measured.table[0], 0), {"case": "review"}, fixes)


def _infringement(measured: _Measured, excess: Excess, number: int) -> Issued:
    priced = _price(measured, excess, number)
    inputs = _excess_inputs(excess) | {"infringement": number}
    if measured.settings.fine:
        inputs["fine"] = measured.settings.fine
    return _issue(measured, priced, inputs, tuple(hold.ts for hold in excess.holds))


def _price(measured: _Measured, excess: Excess, number: int) -> Priced:
    row = bracket(measured.table, excess.worst)
    if row is None:
        return Priced(measured.table[0], 0, review=(NO_BRACKET,))
    ms, words = price(row.mode, measured.table, excess)
    return _capped(_repeated(Priced(row, ms, words), measured.settings, number), measured.settings.cap_ms)


def _repeated(priced: Priced, settings: SpeedParameters, number: int) -> Priced:
    factor = settings.multiplier(number)
    if factor == 1:
        return priced
    ms = round(priced.ms * factor)
    words = f"{priced.arithmetic}; infringement {number} of the {settings.scope} × {factor:g} = {clock(ms)}"
    return replace(priced, ms=ms, arithmetic=words)


def _capped(priced: Priced, cap_ms: int) -> Priced:
    if not cap_ms or priced.ms <= cap_ms:
        return priced
    return replace(priced, ms=cap_ms, arithmetic=f"{priced.arithmetic}; capped at {clock(cap_ms)}")


def _issue(measured: _Measured, priced: Priced, more: Mapping[str, Any], fixes: tuple[int, ...]) -> Issued:
    drive, formula = measured.drive, priced.formula
    inputs: dict[str, Any] = {
        "zone": drive.zone,
        "segment": drive.segment,
        "limit_kmh": drive.limit_kmh,
        "tolerance_kmh": drive.tolerance_kmh,
        "intervals": [[interval.from_ts, interval.to_ts] for interval in drive.intervals],
        "spikes": [[spike.ts, spike.speed] for spike in measured.spikes],
        "mode": formula.mode,
        "review": [*measured.reviews(), *priced.review],
        "arithmetic": priced.arithmetic,
        **more,
    }
    issued = Issued(formula.id, TYPE, drive.zone, priced.ms, inputs, formula.applies_to, formula.article, fixes)
    return replace(issued, counter=REVIEWED) if more.get("case") == "review" else issued


def _excess_inputs(excess: Excess) -> dict[str, Any]:
    peak = max(excess.holds, key=lambda hold: (hold.speed, -hold.ts))
    return {
        "peak_kmh": peak.speed,
        "excess_kmh": excess.worst,
        "place": [peak.lat, peak.lon],
        "peak_ts": peak.ts,
        "pulses": [[pulse.ts, pulse.excess] for pulse in excess.pulses],
    }
