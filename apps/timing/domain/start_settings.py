"""The start order settings of a stage, read strictly: a wrong key or value is refused by name (rulebook 7)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apps.common.said import Said, about
from apps.timing.domain.fields import Fields
from apps.timing.domain.start_list import Block
from apps.timing.domain.start_order import IntervalBand, OrderRules, Seed, StartOrderError, Strategy

CHOOSES = {"winner": True, "last": False}
SOURCES = ("stage", "overall")


@dataclass(frozen=True, slots=True)
class StageFacts:
    """What the settings are read against: the stage's own columns and the event's class codes."""

    strategy: str
    interval_s: int
    starts_at: datetime
    zone: ZoneInfo
    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class SegmentOffset:
    """The segment with this sort order starts so long (ms) after the list's instant."""

    sort_order: int
    after_ms: int


@dataclass(frozen=True, slots=True)
class StartSettings:
    """How a stage's start list is made. `source` is the result that ranks, `first_ts` epoch ms."""

    strategy: Strategy
    source: str
    with_penalties: bool
    first_ts: int
    blocks: tuple[Block, ...]
    segments: tuple[SegmentOffset, ...] = ()
    numbers: frozenset[int] = frozenset()

    @property
    def from_results(self) -> bool:
        return self.strategy is not Strategy.MANUAL


def read_settings(params: Any, facts: StageFacts) -> StartSettings:
    """The settings in `start_order_strategy_params`.

    Keys, all optional: strategy (prologue_choice, on a stage whose own strategy is manual), source, top_n,
    with_penalties, chooses_first, choices, order, seed, unranked, first_start, bands, blocks, segments.
    Raises StartOrderError naming the field.
    """
    top = Fields(params, StartOrderError)
    strategy = _strategy(top, facts)
    rules = _rules(top, strategy)
    settings = StartSettings(
        strategy=strategy,
        source=_source(top, strategy),
        with_penalties=_with_penalties(top, strategy),
        first_ts=_first(top, facts) or _ms(facts.starts_at),
        blocks=_blocks(top, rules, facts),
        segments=tuple(map(_segment, top.objects("segments"))),
        numbers=frozenset({*rules.manual, *rules.choices}),
    )
    top.refuse_others()
    return settings


def _strategy(top: Fields, facts: StageFacts) -> Strategy:
    named = top.word("strategy", facts.strategy, [s.value for s in Strategy])
    if named != facts.strategy and facts.strategy != Strategy.MANUAL:
        text = Said("%(given)s contradicts the stage's own, %(own)s", given=named, own=facts.strategy)
        raise top.error("strategy", text)
    return Strategy(named)


def _source(top: Fields, strategy: Strategy) -> str:
    """Which classification ranks: the input stage's, or the event's."""
    overall = strategy is Strategy.INVERSE_OF_OVERALL
    source = top.word("source", "overall" if overall else "stage", SOURCES)
    previous = strategy in (Strategy.PREVIOUS_STAGE, Strategy.PREVIOUS_STAGE_CLEAN_RESULT)
    if (overall and source == "stage") or (previous and source == "overall"):
        raise top.error("source", _against(source, strategy))
    return source


def _with_penalties(top: Fields, strategy: Strategy) -> bool:
    clean = strategy is Strategy.PREVIOUS_STAGE_CLEAN_RESULT
    value = top.flag("with_penalties", not clean)
    if clean and value:
        raise top.error("with_penalties", _against("true", strategy))
    return value


def _against(given: str, strategy: Strategy) -> Said:
    return Said("%(given)s contradicts %(strategy)s", given=given, strategy=strategy)


def _rules(top: Fields, strategy: Strategy) -> OrderRules:
    return OrderRules(
        strategy=strategy,
        top_n=top.whole("top_n", 0),
        seed=Seed(top.word("seed", Seed.NUMBER, [Seed.NUMBER, Seed.REVERSE_NUMBER])),
        unranked=Seed(top.word("unranked", Seed.NUMBER, list(Seed))),
        manual=top.numbers("order"),
        winner_chooses_first=CHOOSES[top.word("chooses_first", "winner", CHOOSES)],
        choices=_choices(top),
    )


def _choices(top: Fields) -> dict[int, int]:
    value = top.get("choices", {})
    if not isinstance(value, Mapping):
        raise top.error("choices", Said("%(given)s is no object of race number → slot", given=repr(value)))
    stray = next((key for key in value if not str(key).isdecimal()), None)
    if stray is not None:
        raise top.error("choices", Said("%(given)s is no race number", given=repr(stray)))
    return {int(key): top.check_whole(f"choices.{key}", slot, 1) for key, slot in value.items()}


def _blocks(top: Fields, rules: OrderRules, facts: StageFacts) -> tuple[Block, ...]:
    """The blocks; without any, all classes are one."""
    bands = _bands(top, (IntervalBand(1, facts.interval_s * 1000),))
    defaults = Block("all", facts.classes, rules, bands, facts.interval_s * 1000)
    rows = top.objects("blocks")
    if not rows:
        _check_top_n(top, defaults)
        return (defaults,)
    blocks = tuple(_block(row, defaults, facts) for row in rows)
    _check_classes(top, blocks, facts.classes)
    return blocks


def _block(row: Fields, defaults: Block, facts: StageFacts) -> Block:
    rules, name = defaults.rules, row.get("name")
    if not isinstance(name, str) or not name:
        raise row.error("name", Said("missing"))
    block = Block(
        name=name,
        classes=frozenset(map(str, row.array("classes"))),
        rules=OrderRules(
            strategy=rules.strategy,
            top_n=row.whole("top_n", rules.top_n),
            seed=Seed(row.word("seed", rules.seed, [Seed.NUMBER, Seed.REVERSE_NUMBER])),
            unranked=rules.unranked,
            manual=rules.manual,
            winner_chooses_first=rules.winner_chooses_first,
            choices=rules.choices,
        ),
        bands=_bands(row, defaults.bands),
        gap_ms=1000 * row.whole("gap_seconds", defaults.gap_ms // 1000),
        first_ts=_first(row, facts),
    )
    _check_top_n(row, block)
    row.refuse_others()
    return block


def _bands(row: Fields, default: tuple[IntervalBand, ...]) -> tuple[IntervalBand, ...]:
    bands = tuple(map(_band, row.objects("bands"))) or default
    begins = [band.from_position for band in bands]
    if 1 not in begins or len(set(begins)) < len(begins):
        text = Said("they begin at %(begins)s; one must begin at 1, and no two at the same position", begins=begins)
        raise row.error("bands", text)
    return bands


def _band(row: Fields) -> IntervalBand:
    band = IntervalBand(
        from_position=row.whole("from", 0, 1),
        interval_ms=1000 * row.whole("interval_seconds", -1),
        together=row.whole("together", 1, 1),
    )
    row.refuse_others()
    return band


def _segment(row: Fields) -> SegmentOffset:
    offset = SegmentOffset(row.whole("sort_order", -1), 1000 * row.whole("after_seconds", 0))
    row.refuse_others()
    return offset


def _check_top_n(row: Fields, block: Block) -> None:
    needed = (Strategy.INVERSE_TOP_N_THEN_NATURAL, Strategy.PROLOGUE_CHOICE)
    if block.rules.strategy in needed and block.rules.top_n < 1:
        raise row.error("top_n", Said("%(strategy)s needs it, at least 1", strategy=block.rules.strategy))


def _check_classes(top: Fields, blocks: Sequence[Block], classes: frozenset[str]) -> None:
    names = [block.name for block in blocks]
    used = [code for block in blocks for code in sorted(block.classes)]
    _refuse(top, (name for name in names if names.count(name) > 1), Said("a name that two blocks have"))
    _refuse(top, (code for code in used if code not in classes), Said("no class of this event"))
    _refuse(top, (code for code in used if used.count(code) > 1), Said("in two blocks"))
    _refuse(top, sorted(classes - set(used)), Said("in no block"))


def _refuse(top: Fields, wrong: Iterable[str], reason: Said) -> None:
    if found := list(dict.fromkeys(wrong)):
        raise top.error("blocks", about(", ".join(found), reason))


def _first(row: Fields, facts: StageFacts) -> int | None:
    """`first_start`, an instant with offset or a time of day in the event's zone on the stage's day; epoch ms."""
    text = row.get("first_start")
    if text is None:
        return None
    instant = _instant(row, text, facts)
    if instant < facts.starts_at:
        begins = facts.starts_at.astimezone(facts.zone).isoformat()
        reason = Said("%(given)s lies before the stage's start, %(begins)s", given=text, begins=begins)
        raise row.error("first_start", reason)
    return _ms(instant)


def _instant(row: Fields, text: Any, facts: StageFacts) -> datetime:
    try:
        return _of_day(row, time.fromisoformat(text), facts)
    except (TypeError, ValueError) as error:
        if isinstance(error, StartOrderError):
            raise
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        reason = Said("%(given)s is neither a time of day nor an instant", given=repr(text))
        raise row.error("first_start", reason) from error
    if instant.tzinfo is None:
        raise row.error("first_start", Said("%(given)s has no offset from UTC", given=text))
    return instant


def _of_day(row: Fields, clock: time, facts: StageFacts) -> datetime:
    """A time of day that the clocks skip or show twice that day names no instant."""
    day = facts.starts_at.astimezone(facts.zone).date()
    early = datetime.combine(day, clock.replace(tzinfo=None), facts.zone)
    if clock.tzinfo is not None or early.utcoffset() != early.replace(fold=1).utcoffset():
        text = Said("%(given)s names no single instant on %(day)s: give date, time and offset", given=clock, day=day)
        raise row.error("first_start", text)
    return early


def _ms(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))) // timedelta(milliseconds=1)
