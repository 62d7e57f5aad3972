"""Time controls: early and late check-ins by the whole minute, and out of time (rulebook 4.1, 4.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from apps.common.said import Said
from apps.penalties.domain.brackets import UNIT_MODES, Priced, issue, price_units
from apps.penalties.domain.formulas import Formula, Issued, applicable, clock
from apps.penalties.domain.registry import Offences, Terms, TimeCheck, register, table_settings

TYPE = "time_control"
EARLY, LATE, OTL = "early", "late", "otl"
GPS_ONLY = "no manual record: the check-in is the marshal's, not the entry into the control area"
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class CheckParameters:
    """Settings of the time controls of a class, given on any of its rows.

    More than `max_late_minutes` late is out of time (0 = never): exactly as many is still in. `gps_counts` prices a
    check-in that only GPS saw; otherwise it is shown for review. `early_free` forgives early check-ins. `status` is
    what being out of time makes of the stage, "" when it only costs time.
    """

    max_late_minutes: int = 0
    gps_counts: bool = False
    early_free: bool = False
    status: Literal["", "otl"] = "otl"


TERMS = Terms(
    "whole minutes early or late",
    UNIT_MODES,
    "early, late, or otl (what being out of time costs)",
    CheckParameters,
    choices=frozenset({EARLY, LATE, OTL}),
)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rows of one class: by what they are about, and the settings all of them give."""

    early: Sequence[Formula]
    late: Sequence[Formula]
    otl: Sequence[Formula]
    settings: CheckParameters

    @classmethod
    def of(cls, formulas: Sequence[Formula], race_class: str) -> "_Rules":
        early, late = (applicable(formulas, target, race_class) for target in (EARLY, LATE))
        otl = applicable([f for f in formulas if f.target == OTL], OTL, race_class)
        return cls(early, late, otl, table_settings([*otl, *late, *early], CheckParameters))

    def price(self, minutes: int) -> tuple[str, Priced | None]:
        """(case, price) of a check-in so many minutes after it was due, before it when negative."""
        limit = self.settings.max_late_minutes
        if limit and minutes > limit:
            return OTL, self._out(minutes)
        if minutes < 0 and self.settings.early_free:
            return EARLY, None
        if minutes < 0:
            return EARLY, price_units(self.early, -minutes, "min")
        return LATE, price_units(self.late, minutes, "min") if minutes else None

    def _out(self, minutes: int) -> Priced:
        row = next(iter(self.otl), None)
        limit = f"{minutes} min late, limit {self.settings.max_late_minutes} min"
        if row is None:
            return Priced((*self.late, *self.early)[0], 0, f"{limit}: out of time")
        return Priced(row, row.penalty_ms, f"{limit}: out of time = {clock(row.penalty_ms)}")


@register(TYPE, Said("Time control"), TERMS)
def time_control(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one penalty per check-in: early, late, or out of time; the ideal minute is free.

    Without a row for lateness only being out of time is an offence.
    """
    rules = _Rules.of(formulas, offences.race_class)
    return list(_issued(offences, rules))


def _issued(offences: Offences, rules: _Rules) -> Iterator[Issued]:
    for check in offences.checks:
        minutes = (check.recorded_ts - check.due_ts) // MINUTE_MS
        case, priced = rules.price(minutes)
        if priced is not None and (priced.ms or priced.review or case == OTL):
            yield _issue(check, priced, case, rules.settings)


def _issue(check: TimeCheck, priced: Priced, case: str, settings: CheckParameters) -> Issued:
    minutes = (check.recorded_ts - check.due_ts) // MINUTE_MS
    proven = settings.gps_counts or check.source != "gps"
    if not proven:
        priced = replace(priced, ms=0, review=(*priced.review, GPS_ONLY))
    inputs = {
        "case": case,
        "segment": check.segment,
        "control": check.control,
        "due_ts": check.due_ts,
        "recorded_ts": check.recorded_ts,
        "source": check.source,
        "minutes": abs(minutes),
        "max_late_minutes": settings.max_late_minutes,
    }
    issued = issue(priced, f"{check.segment}:{check.control}", inputs)
    return replace(issued, status=settings.status) if case == OTL and proven else issued
