"""The start list of a stage: blocks, overrides, and what has been published and driven already (rulebook 7)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from apps.common.said import Said, listed
from apps.timing.domain.start_order import IntervalBand, OrderRules, Starter, StartOrderError, order, start_times


@dataclass(frozen=True, slots=True)
class Block:
    """Classes that start together as one list; the next block begins `gap_ms` after its last start.

    `first_ts` (epoch ms) fixes the first start instead.
    """

    name: str
    classes: frozenset[str]
    rules: OrderRules
    bands: tuple[IntervalBand, ...]
    gap_ms: int
    first_ts: int | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """An official moves an entry: to a position of its block's list, behind another entry, or to an exact instant.

    Exactly one of `position` (1..), `after` (an entry) and `start_ts` (epoch ms) is set.
    """

    entry: str
    position: int | None = None
    after: str | None = None
    start_ts: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A place on the list. `slot_ts` is the slot's own instant, `start_ts` the entry's: they differ when it was given
    an exact time, which leaves the slot empty, so that nobody else moves. Both epoch ms."""

    entry: str
    block: str
    slot: int
    slot_ts: int
    start_ts: int


@dataclass(frozen=True, slots=True)
class Published:
    """The slot an entry had on the list before.

    Who has `started` is never moved; who was `seen` at the start, or whose time was set `by_hand`, only by an
    override.
    """

    slot: Slot
    started: bool = False
    seen: bool = False
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What is laid over the strategy's order: overrides and the list before, both by entry."""

    overrides: Mapping[str, Override] = field(default_factory=dict)
    published: Mapping[str, Published] = field(default_factory=dict)


def start_list(starters: Sequence[Starter], first_ts: int, blocks: Sequence[Block], changes: Changes) -> list[Slot]:
    """Slots of all starters in order of start.

    Overrides come last, over the strategy's order. Who has started stays, and so does who is due before the
    last of the block who has started (its start may only not be on record yet): only an override moves those.
    Raises StartOrderError.
    """
    board = _Board({s.entry: s.number for s in starters}, changes)
    queues = _follow(board, _queues(starters, blocks, board))
    last, gap_ms, slots = None, 0, list[Slot]()
    for block in blocks:
        if queue := queues[block.name]:
            begin = first_ts if last is None else last + gap_ms
            placed = _place(board, block, queue, begin if block.first_ts is None else block.first_ts)
            slots += placed
            last, gap_ms = max(slot.slot_ts for slot in placed), 0
        gap_ms = max(gap_ms, block.gap_ms)
    places = {block.name: place for place, block in enumerate(blocks)}
    return sorted(slots, key=lambda s: (s.start_ts, places[s.block], s.slot))


class _Board:
    """Overrides and the list before, with what they hold in place."""

    def __init__(self, numbers: Mapping[str, int], changes: Changes) -> None:
        self.numbers = numbers
        self.overrides = dict(changes.overrides)
        self.last_started: dict[str, Slot] = {}
        for before in changes.published.values():
            self._count(before)
        self.held = {e: before.slot for e, before in changes.published.items() if self._stays(e, before)}
        for entry in changes.published:
            if changes.published[entry].started:
                self.overrides.pop(entry, None)  # it has had its effect, or came too late

    def name(self, entry: str) -> str:
        return f"{self.numbers.get(entry, entry)}"

    def floor(self, block: str) -> int:
        """The slot up to which the block has started."""
        return self.last_started[block].slot if block in self.last_started else 0

    def _count(self, before: Published) -> None:
        slot = before.slot
        if (before.started or before.seen) and slot.slot > self.floor(slot.block):
            self.last_started[slot.block] = slot

    def _stays(self, entry: str, before: Published) -> bool:
        due = before.seen or before.slot.slot < self.floor(before.slot.block)
        return before.started or (entry not in self.overrides and (before.by_hand or due))


_Queues = dict[str, list[str]]


def _queues(starters: Sequence[Starter], blocks: Sequence[Block], board: _Board) -> _Queues:
    """Block → its entries as the strategy orders them. A held entry stays in the block it was published in."""
    names = {block.name for block in blocks}
    away = {entry: slot.block for entry, slot in board.held.items() if slot.block in names}
    queues = {}
    for block in blocks:
        mine = [s for s in starters if away.get(s.entry, block.name) == block.name]
        mine = [s for s in mine if s.entry in away or s.race_class in block.classes]
        queues[block.name] = [s.entry for s in order(mine, block.rules)]
    return queues


def _follow(board: _Board, queues: _Queues) -> _Queues:
    """Put each entry that is to start after another one directly behind it, in that one's block."""
    there = {entry for queue in queues.values() for entry in queue}
    waiting = {e: o.after for e, o in board.overrides.items() if o.after is not None and e in there}
    _check_leaders(board, waiting, there)
    queues = {name: [e for e in queue if e not in waiting] for name, queue in queues.items()}
    while waiting:
        ready = [(e, leader, q) for e, leader in waiting.items() for q in queues.values() if leader in q]
        if not ready:
            raise StartOrderError(Said("overrides in a circle: %(who)s", who=listed(sorted(map(board.name, waiting)))))
        for entry, leader, queue in ready:
            queue.insert(queue.index(leader) + 1, entry)
            del waiting[entry]
    return queues


def _check_leaders(board: _Board, waiting: Mapping[str, str], there: set[str]) -> None:
    leaders: dict[str, str] = {}
    for entry, leader in waiting.items():
        if leader not in there:
            raise StartOrderError(_absent(board.name(entry), board.name(leader)))
        if leader in leaders:
            raise StartOrderError(_rivals(board.name(leaders[leader]), board.name(entry), board.name(leader)))
        leaders[leader] = entry


def _absent(who: str, leader: str) -> Said:
    text = Said("%(who)s is to start after %(leader)s, who does not start: revoke the override")
    return Said(text.template, who=who, leader=leader)


def _rivals(one: str, other: str, leader: str) -> Said:
    text = Said("%(one)s and %(other)s are both to start directly after %(leader)s: revoke one")
    return Said(text.template, one=one, other=other, leader=leader)


def _place(board: _Board, block: Block, queue: Sequence[str], first_ts: int) -> list[Slot]:
    """The slots of one block: who is held or moved first, the others in order into the free ones."""
    pinned = _pins(board, queue)
    floor = board.floor(block.name)
    taken = dict(pinned)
    free = (slot for slot in range(floor + 1, floor + 2 * len(queue) + 1) if slot not in pinned)
    fixed = set(pinned.values())
    taken |= {next(free): entry for entry in queue if entry not in fixed}
    _check_followers(board, taken)
    times = start_times(max(taken), _begin(board, block, first_ts), block.bands)
    return [_slot(board, block, entry, (slot, times[slot - 1])) for slot, entry in sorted(taken.items())]


def _begin(board: _Board, block: Block, first_ts: int) -> int:
    """The first start of the block: once someone has started, it is as it was."""
    started = board.last_started.get(block.name)
    if started is None:
        return first_ts
    return started.slot_ts - start_times(started.slot, 0, block.bands)[-1]


def _slot(board: _Board, block: Block, entry: str, place: tuple[int, int]) -> Slot:
    slot, slot_ts = place
    held = board.held.get(entry)
    if held is not None:
        return Slot(entry, block.name, slot, held.slot_ts, held.start_ts)
    override = board.overrides.get(entry)
    exact = override.start_ts if override else None
    return Slot(entry, block.name, slot, slot_ts, slot_ts if exact is None else exact)


def _pins(board: _Board, queue: Sequence[str]) -> dict[int, str]:
    """Slot → entry for held entries, positions given by officials, and those who follow such a one."""
    pinned: dict[int, str] = {}
    for entry in queue:
        if entry in board.held:
            _pin(board, pinned, board.held[entry].slot, entry)
    most = max([len(queue), *pinned])
    for entry, position in _positions(board, queue):
        if position > most:
            parts = {"who": board.name(entry), "position": position, "most": most}
            raise StartOrderError(Said("%(who)s is to start at position %(position)s of %(most)s", **parts))
        _pin(board, pinned, position, entry)
    for entry in queue:  # a leader comes before its followers
        override = board.overrides.get(entry)
        of = {e: slot for slot, e in pinned.items()}
        if override and override.after in of and entry not in board.held:
            _pin(board, pinned, of[override.after] + 1, entry)
    return pinned


def _positions(board: _Board, queue: Iterable[str]) -> Iterator[tuple[str, int]]:
    for entry in queue:
        override = board.overrides.get(entry)
        if override is not None and override.position is not None:
            yield entry, override.position


def _pin(board: _Board, pinned: dict[int, str], slot: int, entry: str) -> None:
    if slot in pinned:
        raise StartOrderError(_taken(board, pinned[slot], entry, slot))
    pinned[slot] = entry


def _taken(board: _Board, other: str, entry: str, slot: int) -> Said:
    parts = {"one": board.name(entry), "other": board.name(other), "slot": slot}
    if other in board.held:
        text = Said("%(one)s and %(other)s are both to start at position %(slot)s, who keeps the published place")
    else:
        text = Said("%(one)s and %(other)s are both to start at position %(slot)s")
    return Said(text.template, **parts)


def _check_followers(board: _Board, taken: Mapping[int, str]) -> None:
    """Raises StartOrderError when a position given to another one parts an entry from the one it follows."""
    line = [entry for _, entry in sorted(taken.items())]
    for leader, entry in zip([None, *line], line, strict=False):
        override = board.overrides.get(entry)
        if override and override.after is not None and override.after != leader:
            text = Said("%(who)s is to start after %(leader)s, but %(other)s is given the place between")
            who, other = board.name(entry), board.name(leader or "")
            raise StartOrderError(Said(text.template, who=who, leader=board.name(override.after), other=other))
