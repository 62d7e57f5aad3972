"""A special stage stopped by the red signal: which notional times to propose (rulebook 8.3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

FURTHEST = 5  # The fifth time is the last that may be chosen (MSUK 4.37, 4.38).


class Seeding(StrEnum):
    """Who starts first. Only for a reversed field is there a rule; else officials choose."""

    REVERSE = "reverse"
    FASTEST_FIRST = "fastest-first"


@dataclass(frozen=True, slots=True)
class Drive:
    """A special stage driven to its end; epoch ms and ms."""

    entry: str
    finish_ts: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Interruption:
    """When the red signal was deployed and when the stage went on (None: not yet), who was shown it and who caused it.

    `anomalous` are the entries whose times the stewards have set aside.
    """

    red_ts: int
    shown_red: tuple[str, ...]
    causes: frozenset[str]
    seeding: Seeding
    green_ts: int | None = None
    anomalous: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an entry should get, for officials to decide; `time_ms` is None while there is nothing to propose.

    `article` is the one it follows, "" where no rule is known. `choices` are the times that may be chosen, in order.
    """

    entry: str
    time_ms: int | None
    article: str
    reason: str
    choices: tuple[Drive, ...] = ()


def proposals(interruption: Interruption, drives: Iterable[Drive]) -> tuple[Proposal, ...]:
    """A proposal for every crew that was shown red, in their order, then for those that caused the stop.

    A crew that caused it gets the time it drove, even if that is greater (4.36).
    """
    every = sorted(drives, key=lambda drive: (drive.finish_ts, drive.entry))
    innocent = [entry for entry in interruption.shown_red if entry not in interruption.causes]
    notional = [_notional(entry, interruption, every) for entry in innocent]
    return (*notional, *(_own(entry, every) for entry in sorted(interruption.causes)))


def _own(entry: str, drives: Sequence[Drive]) -> Proposal:
    time_ms = next((drive.time_ms for drive in drives if drive.entry == entry), None)
    reason = "caused the stop: its own time" if time_ms is not None else "caused the stop and has no time of its own"
    return Proposal(entry, time_ms, "4.36", reason)


def _notional(entry: str, interruption: Interruption, drives: Sequence[Drive]) -> Proposal:
    usable = [drive for drive in drives if drive.entry not in interruption.causes]
    before = [drive for drive in usable if drive.finish_ts <= interruption.red_ts]
    if before:
        article = "4.37" if interruption.seeding is Seeding.REVERSE else ""
        choices = sorted(before, key=lambda drive: (drive.time_ms, drive.finish_ts, drive.entry))[:FURTHEST]
        return _chosen(
            Proposal(entry, None, article, "fastest time before the red signal", tuple(choices)), interruption
        )
    after = [drive for drive in usable if _restarted(drive, interruption)][:FURTHEST]
    if not after:
        return Proposal(entry, None, "4.38", "nobody has finished yet after the restart")
    return _chosen(Proposal(entry, None, "4.38", "first to finish after the restart", tuple(after)), interruption)


def _restarted(drive: Drive, interruption: Interruption) -> bool:
    """Whether it was driven wholly after the restart."""
    green = interruption.green_ts
    return green is not None and drive.finish_ts - drive.time_ms >= green and drive.entry not in interruption.shown_red


def _chosen(proposal: Proposal, interruption: Interruption) -> Proposal:
    """The first choice that is no anomaly."""
    for place, drive in enumerate(proposal.choices, start=1):
        if drive.entry not in interruption.anomalous:
            words = [proposal.reason]
            words += [f"the {place - 1} before it set aside as anomalous"] if place > 1 else []
            words += [] if proposal.article else ["no rule for this order of starting: officials choose"]
            return Proposal(proposal.entry, drive.time_ms, proposal.article, "; ".join(words), proposal.choices)
    return Proposal(proposal.entry, None, proposal.article, "all times to choose from are set aside", proposal.choices)
