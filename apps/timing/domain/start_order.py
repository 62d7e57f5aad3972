"""Who starts when: the order by strategy and the instants by interval bands (rulebook 7.1, 7.2)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from apps.common.said import Said

T = TypeVar("T")


class StartOrderError(ValueError):
    """A start order that cannot be made; the message names the setting, the entry or the override."""


class Strategy(StrEnum):
    """Rulebook 7.1."""

    MANUAL = "manual"
    PREVIOUS_STAGE = "previous_stage"
    PREVIOUS_STAGE_CLEAN_RESULT = "previous_stage_clean_result"
    INVERSE_TOP_N_THEN_NATURAL = "inverse_top_n_then_natural"
    INVERSE_OF_OVERALL = "inverse_of_overall"
    PROLOGUE_CHOICE = "prologue_choice"


class Seed(StrEnum):
    """The order of entries that no result puts in order."""

    NUMBER = "number"
    REVERSE_NUMBER = "reverse_number"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Starter:
    """An entry as the start order sees it.

    `status` is the entry's own (withdrawn, retired and dsq do not start, nc rides on at the end). `merit` is
    what ranks it, lower first, None without a result: the time in ms that counts for the order, penalties as
    the setting says, or a rank. `outcome` is its status in the stage the order comes from, "" when it has
    none. `late` came in after the list was published.
    """

    entry: str
    number: int
    race_class: str
    status: str = "accepted"
    merit: int | None = None
    outcome: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class OrderRules:
    """A strategy with its settings. `manual` is the typed order of race numbers, `choices` race number → slot."""

    strategy: Strategy = Strategy.MANUAL
    top_n: int = 0
    seed: Seed = Seed.NUMBER
    unranked: Seed = Seed.NUMBER
    manual: tuple[int, ...] = ()
    winner_chooses_first: bool = True
    choices: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IntervalBand:
    """From this position on, `together` entries start at one instant, `interval_ms` after those before."""

    from_position: int
    interval_ms: int
    together: int = 1


NO_START = frozenset({"withdrawn", "retired", "dsq"})
RIDES_ON = "nc"
_OUTCOMES = ("finished", "running", "otl", "dnf", "dns", "registered", "")


def order(starters: Iterable[Starter], rules: OrderRules) -> list[Starter]:
    """The starters of one block in start order (7.1).

    The strategy orders those with a result, ties by race number (DAK-COURSE). Behind them come those without
    one, then those not classified, then those who came late (PGR). Raises StartOrderError.
    """
    present = [starter for starter in starters if starter.status not in NO_START]
    groups: dict[str, list[Starter]] = {"ranked": [], "unranked": [], "nc": [], "late": []}
    for starter in sorted(present, key=_number):
        groups[_group(starter, rules)].append(starter)
    ranked = sorted(groups["ranked"], key=lambda s: (s.merit or 0, s.number))
    unranked = seeded(groups["unranked"], rules.unranked)
    return [*_STRATEGIES[rules.strategy](ranked, rules), *unranked, *groups["nc"], *groups["late"]]


def seeded(starters: Iterable[Starter], seed: Seed) -> list[Starter]:
    """In order of number, of number backwards, or of outcome (over the limit, DNF, DNS, none) and number."""
    if seed is Seed.REVERSE_NUMBER:
        return sorted(starters, key=_number, reverse=True)
    if seed is Seed.STATUS:
        return sorted(starters, key=lambda s: (_outcome_rank(s), s.number))
    return sorted(starters, key=_number)


def inverse_top(ranked: Sequence[T], top: int) -> list[T]:
    """Ranks `top`..1, then the others in natural order; `top` = len gives the inverse of all (7.1)."""
    return [*reversed(ranked[:top]), *ranked[top:]]


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


def _number(starter: Starter) -> int:
    return starter.number


def _outcome_rank(starter: Starter) -> int:
    return _OUTCOMES.index(starter.outcome) if starter.outcome in _OUTCOMES else len(_OUTCOMES)


def _group(starter: Starter, rules: OrderRules) -> str:
    if starter.late:
        return "late"
    if starter.status == RIDES_ON:
        return "nc"
    return "ranked" if rules.strategy is Strategy.MANUAL or starter.merit is not None else "unranked"


def _manual(present: Sequence[Starter], rules: OrderRules) -> list[Starter]:
    """The typed list; who is not on it follows as seeded."""
    typed = {number: place for place, number in enumerate(rules.manual)}
    rest = seeded((s for s in present if s.number not in typed), rules.seed)
    return [*sorted((s for s in present if s.number in typed), key=lambda s: typed[s.number]), *rest]


def _natural(ranked: Sequence[Starter], rules: OrderRules) -> list[Starter]:
    return list(ranked)


def _inverse_top_n(ranked: Sequence[Starter], rules: OrderRules) -> list[Starter]:
    return inverse_top(ranked, rules.top_n)


def _inverse_of_all(ranked: Sequence[Starter], rules: OrderRules) -> list[Starter]:
    return inverse_top(ranked, len(ranked))


def _prologue_choice(ranked: Sequence[Starter], rules: OrderRules) -> list[Starter]:
    """The best `top_n` choose slots in turn, who has not chosen gets the first free one; the others by rank."""
    best, others = ranked[: rules.top_n], ranked[rules.top_n :]
    stray = next((s.number for s in others if s.number in rules.choices), None)
    if stray is not None:
        text = Said("choices: %(who)s is not among the best %(best)s and has no choice")
        raise StartOrderError(Said(text.template, who=stray, best=rules.top_n))
    turns = list(best) if rules.winner_chooses_first else list(reversed(best))
    slots = _chosen(turns, rules.choices, len(ranked))
    waiting = iter([*(s for s in turns if s.number not in rules.choices), *others])
    return [slots[place] if place in slots else next(waiting) for place in range(1, len(ranked) + 1)]


def _chosen(turns: Sequence[Starter], choices: Mapping[int, int], count: int) -> dict[int, Starter]:
    """Slot → starter. A slot that an earlier chooser has taken, or that there is not, is refused."""
    slots: dict[int, Starter] = {}
    for starter in turns:
        slot = choices.get(starter.number)
        if slot is None:
            continue
        if slot > count:
            parts = {"who": starter.number, "slot": slot, "count": count}
            raise StartOrderError(Said("choices: %(who)s chooses slot %(slot)s, of %(count)s", **parts))
        if slot in slots:
            taken = slots[slot].number
            raise StartOrderError(_chosen_before(slot, taken, starter.number))
        slots[slot] = starter
    return slots


def _chosen_before(slot: int, taken: int, who: int) -> Said:
    text = Said(
        "choices: slot %(slot)s is taken by %(taken)s, who chooses before %(who)s: %(who)s has to choose another"
    )
    return Said(text.template, slot=slot, taken=taken, who=who)


_STRATEGIES: dict[Strategy, Callable[[Sequence[Starter], OrderRules], list[Starter]]] = {
    Strategy.MANUAL: _manual,
    Strategy.PREVIOUS_STAGE: _natural,
    Strategy.PREVIOUS_STAGE_CLEAN_RESULT: _natural,
    Strategy.INVERSE_TOP_N_THEN_NATURAL: _inverse_top_n,
    Strategy.INVERSE_OF_OVERALL: _inverse_of_all,
    Strategy.PROLOGUE_CHOICE: _prologue_choice,
}


def _check(bands: Sequence[IntervalBand]) -> None:
    if not bands or bands[0].from_position != 1:
        raise ValueError("the first interval band must begin at position 1")
    wrong = next((b for b in bands if b.interval_ms < 0 or b.together < 1), None)
    if wrong is not None:
        raise ValueError(f"interval band from position {wrong.from_position}: {wrong}")
