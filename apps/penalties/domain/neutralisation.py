"""Leaving a neutralisation before the time allotted has passed (rulebook 8.1, worked example 13)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from apps.common.said import Said
from apps.penalties.domain.brackets import UNIT_MODES, Priced, issue, price_units
from apps.penalties.domain.formulas import Formula, Issued, applicable, clock
from apps.penalties.domain.registry import NeutralStay, Offences, Terms, register, settings_of

TYPE = "neutralisation"


@dataclass(frozen=True, slots=True)
class NeutralParameters:
    """Settings of one row: `give_back` adds the seconds left early themselves, `flat_ms` a sum for leaving early."""

    give_back: bool = True
    flat_ms: int = 0


@register(
    TYPE, Said("Neutralisation left early"), Terms(Said("seconds early"), UNIT_MODES, parameters=NeutralParameters)
)
def neutralisation(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one penalty per neutralisation: the seconds early, a second begun counting as one, and the event's rate.

    Leaving at the very instant is in time; staying longer is never priced here, it costs race time.
    """
    table = applicable(formulas, "", offences.race_class)
    return list(_issued(offences, table))


def _issued(offences: Offences, table: Sequence[Formula]) -> Iterator[Issued]:
    for stay in offences.neutral:
        seconds = -(-stay.early_ms // 1000)
        priced = price_units(table, seconds, "s") if seconds else None
        if priced is not None:
            yield issue(_with_extras(priced, seconds), stay.segment, _inputs(stay, seconds))


def _with_extras(priced: Priced, seconds: int) -> Priced:
    settings = settings_of(priced.formula, NeutralParameters)
    back = seconds * 1000 if settings.give_back else 0
    if priced.review or not (back or settings.flat_ms):
        return priced
    ms = priced.ms + back + settings.flat_ms
    parts = [f"{clock(back)} given back"] * bool(back) + [f"{clock(settings.flat_ms)} flat"] * bool(settings.flat_ms)
    return replace(priced, ms=ms, arithmetic=f"{' + '.join([priced.arithmetic, *parts])}: {clock(ms)}")


def _inputs(stay: NeutralStay, seconds: int) -> dict[str, object]:
    return {
        "segment": stay.segment,
        "entered_ts": stay.from_ts,
        "allotted_ms": stay.allotted_ms,
        "earliest_exit_ts": stay.from_ts + stay.allotted_ms,
        "exit_ts": stay.exit_ts,
        "early_seconds": seconds,
    }
