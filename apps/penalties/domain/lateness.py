"""Lateness summed over the time controls of a stage, a leg or the event: it cannot be won back (rulebook 4.1, 4.2)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from apps.common.said import Said
from apps.penalties.domain import time_control
from apps.penalties.domain.brackets import UNIT_MODES, Priced, issue, price_units
from apps.penalties.domain.formulas import Formula, Issued, applicable
from apps.penalties.domain.registry import Offences, Terms, TimeCheck, register, table_settings

TYPE = "cumulative_lateness"
SCOPES = ("stage", "leg", "event")
# On the entry's account: the minutes people or machines recorded, and those with the check-ins only GPS saw.
RECORDED, WITH_GPS = "late_minutes", "late_minutes_gps"


@dataclass(frozen=True, slots=True)
class LatenessParameters:
    """Settings of a table of summed lateness, given on any of its rows.

    `gps_counts` adds up check-ins that only GPS saw, too; otherwise they are shown for review. `status` is what the
    sum makes of the stage, "" when it only costs time.
    """

    gps_counts: bool = False
    status: Literal["", "otl", "dnf"] = "otl"


TERMS = Terms(
    "whole minutes late at all controls together",
    UNIT_MODES,
    "over what it is summed: stage, leg or event (as without a target)",
    LatenessParameters,
    choices=frozenset(SCOPES),
)


@register(TYPE, Said("Lateness in all"), TERMS)
def cumulative_lateness(offences: Offences, formulas: Sequence[Formula]) -> list[Issued]:
    """At most one penalty for the sum over the stage, one over the leg, one over the event.

    It is issued in each stage that adds lateness to a sum which a row prices: more than 30 minutes is a row from 31.
    """
    return list(_issued(offences, formulas))


def on_account(offences: Offences, formulas: Iterable[Formula]) -> dict[str, int]:
    """What a stage puts on the account for later ones; nothing where no rule sums lateness."""
    if not any(formula.type == TYPE for formula in formulas):
        return {}
    late = {name: _minutes(offences, with_gps=name == WITH_GPS) for name in (RECORDED, WITH_GPS)}
    return {name: minutes for name, minutes in late.items() if minutes}


def late_minutes(checks: Iterable[TimeCheck]) -> int:
    """Whole minutes late, control after control; to be early wins nothing back.

    By a timetable who is late is so at each control that follows: only what is lost anew is added.
    """
    total = behind = 0
    for check in checks:
        if check.recorded_ts is not None:
            late = (check.recorded_ts - check.due_ts - check.allowance_ms) // time_control.MINUTE_MS
            total += max(0, late - behind * check.scheduled)
            behind = max(behind, late * check.scheduled)
    return total


def _minutes(offences: Offences, *, with_gps: bool) -> int:
    waived = offences.waived_targets(time_control.TYPE)
    return late_minutes(
        check
        for check in offences.checks
        if (with_gps or check.source != "gps") and f"{check.segment}:{check.control}" not in waived
    )


def _issued(offences: Offences, formulas: Sequence[Formula]) -> Iterator[Issued]:
    for scope in SCOPES:
        rows = [formula for formula in formulas if (formula.target or "event") == scope]
        table = applicable(rows, scope, offences.race_class)
        settings = table_settings(table, LatenessParameters)
        found = _priced(offences, table, (scope, WITH_GPS if settings.gps_counts else RECORDED))
        if found is None and (unsure := _priced(offences, table, (scope, WITH_GPS))):
            priced, inputs = unsure
            found = replace(priced, ms=0, review=(*priced.review, time_control.GPS_ONLY)), inputs
        if found is not None:
            penalty = issue(found[0], scope, found[1])
            yield penalty if penalty.inputs["review"] else replace(penalty, status=settings.status)


def _priced(
    offences: Offences, table: Sequence[Formula], of: tuple[str, str]
) -> tuple[Priced, dict[str, object]] | None:
    """(price, inputs) of the sum over a scope, by what is on the account; None where nothing is to be priced."""
    scope, account = of
    own = _minutes(offences, with_gps=account == WITH_GPS)
    before: Mapping[str, Mapping[str, int]] = {"leg": offences.before.leg, "event": offences.before.event}
    earlier = before.get(scope, {}).get(account, 0)
    priced = price_units(table, own + earlier, "min late in all") if own else None
    if priced is None:
        return None
    inputs = {"total_minutes": own + earlier, "late_minutes": own, "earlier_minutes": earlier}
    return priced, {"case": scope, **inputs}
