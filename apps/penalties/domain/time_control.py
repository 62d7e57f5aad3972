"""Time controls: early and late check-ins by the whole minute, and out of time (rulebook 4.1, 4.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from apps.common.said import Said
from apps.penalties.domain.brackets import UNIT_MODES, Priced, issue, price_units
from apps.penalties.domain.formulas import Formula, Issued, applicable, clock
from apps.penalties.domain.registry import Offences, Terms, TimeCheck, register, table_settings

TYPE = "time_control"
EARLY, LATE, OTL, MISSED = "early", "late", "otl", "missed"
MAIN_OTL, MAIN_OUT = "main_otl", "main_out"
GPS_ONLY = "no manual record: the check-in is the marshal's, not the entry into the control area"
UNPRICED = "no rule says what a missed control costs"
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
    status: Literal["", "otl", "dnf"] = "otl"


TERMS = Terms(
    Said("whole minutes early or late"),
    UNIT_MODES,
    "early, late, or otl (what being out of time, or not there at all, costs); main_otl the same at a main control; "
    "main_out before or after the time of leaving a main control",
    CheckParameters,
    choices=frozenset({EARLY, LATE, OTL, MAIN_OTL, MAIN_OUT}),
)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rows of one class for one kind of control: by what they are about, and the settings all of them give."""

    early: Sequence[Formula]
    late: Sequence[Formula]
    otl: Sequence[Formula]
    settings: CheckParameters

    @classmethod
    def of(cls, formulas: Sequence[Formula], race_class: str, kind: str) -> "_Rules":
        early, late = (applicable(formulas, target, race_class) for target in (EARLY, LATE))
        usual = _named(formulas, OTL, race_class)
        main = _named(formulas, MAIN_OTL, race_class) if kind else []
        if kind == "main-out" and (out := _named(formulas, MAIN_OUT, race_class)):
            early = late = out
        return cls(early, late, main or usual, table_settings([*main, *usual, *late, *early], CheckParameters))

    def price(self, check: TimeCheck) -> tuple[str, Priced | None]:
        """(case, price) of a check-in."""
        if check.recorded_ts is None:
            return MISSED, self._missed()
        minutes = (check.recorded_ts - check.due_ts) // MINUTE_MS
        late = minutes - check.allowance_ms // MINUTE_MS
        limit = self.settings.max_late_minutes
        if limit and late > limit:
            return OTL, self._out(f"{late} min late, limit {limit} min: out of time")
        if minutes < 0 and self.settings.early_free:
            return EARLY, None
        if minutes < 0:
            return EARLY, price_units(self.early, -minutes, "min")
        return LATE, price_units(self.late, late, "min") if late > 0 else None

    def _out(self, words: str) -> Priced:
        row = next(iter(self.otl), None)
        if row is None:
            return Priced((*self.late, *self.early)[0], 0, words)
        return Priced(row, row.penalty_ms, f"{words} = {clock(row.penalty_ms)}")

    def _missed(self) -> Priced | None:
        """As being out of time, which is as if the control had not been visited (MSUK 10.1i)."""
        if self.otl or self.settings.max_late_minutes:
            return self._out("not visited")
        row = next(iter((*self.late, *self.early)), None)
        return None if row is None else Priced(row, 0, "not visited", (UNPRICED,))


def _named(formulas: Sequence[Formula], target: str, race_class: str) -> list[Formula]:
    """The rows that name the target: a rate per minute never becomes a lump."""
    return applicable([f for f in formulas if f.target == target], target, race_class)


@register(TYPE, Said("Time control"), TERMS)
def time_control(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one penalty per control: early, late, out of time, or missed; the ideal minute is free.

    Without a row for lateness only being out of time is an offence.
    """
    return list(_issued(offences, formulas))


def _issued(offences: Offences, formulas: Sequence[Formula]) -> Iterator[Issued]:
    for check in offences.checks:
        rules = _Rules.of(formulas, offences.race_class, check.kind)
        case, priced = rules.price(check)
        if priced is not None and (priced.ms or priced.review or case in (OTL, MISSED)):
            yield _issue(check, priced, case, rules.settings)


def _issue(check: TimeCheck, priced: Priced, case: str, settings: CheckParameters) -> Issued:
    proven = settings.gps_counts or check.source != "gps" or case == MISSED
    if not proven:
        priced = replace(priced, ms=0, review=(*priced.review, GPS_ONLY))
    inputs = {
        "case": case,
        "segment": check.segment,
        "control": check.control,
        "due_ts": check.due_ts,
        "max_late_minutes": settings.max_late_minutes,
    }
    if check.recorded_ts is not None:
        minutes = abs(check.recorded_ts - check.due_ts) // MINUTE_MS
        inputs |= {"recorded_ts": check.recorded_ts, "source": check.source, "minutes": minutes}
    if check.scheduled:
        inputs["scheduled"] = True
    if check.kind:
        inputs["control_kind"] = check.kind
    if check.allowance_ms:
        inputs["allowance_ms"] = check.allowance_ms
    issued = issue(priced, f"{check.segment}:{check.control}", inputs)
    ends = case in (OTL, MISSED) and proven and not priced.review and not check.ended
    return replace(issued, status=settings.status) if ends else issued
