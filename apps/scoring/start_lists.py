"""Start lists: proposed, opened, published again, and what officials change in them (rulebook 7).

A list is made from the stage's settings, the results at this moment, and the overrides in force. Opening the
stage publishes version 1 and writes the assigned starts; publishing again writes the next version and says who
moved. The assigned starts are evidence: the scorer is asked to look at them after the commit.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common import stream
from apps.common.audit import because
from apps.common.position import instant
from apps.course.models import Segment, Stage
from apps.events.models import Entry
from apps.penalties.checklist import blocking_settings
from apps.racelog import gate
from apps.racelog.services import tell
from apps.scoring import queries
from apps.scoring.start_inputs import Inputs, load
from apps.timing.domain.start_list import Slot, start_list
from apps.timing.domain.start_order import StartOrderError
from apps.timing.models import EntrySegmentStart, StartList, StartListState, StartOverride


@dataclass(frozen=True, slots=True)
class StartRow:
    """A line of a start list as it is published; instants in epoch ms.

    `slot` counts within the block; `slot_ms` is the slot's own instant, which an exact time leaves.
    """

    position: int
    entry: str
    number: int
    crew: str
    race_class: str
    block: str
    slot: int
    slot_ms: int
    start_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """What a new version changes for an entry: instants in epoch ms, None where it is not on that list."""

    number: int
    old_ms: int | None
    new_ms: int | None


@dataclass(frozen=True, slots=True)
class Republished:
    """The list in force and who moved. Without a move there is no new version."""

    list: StartList
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """Where an official puts an entry: one of a position in its block's list, behind another entry, an exact time."""

    position: int | None = None
    after: Entry | None = None
    start_at: datetime | None = None


def propose(stage: Stage, *, reset_by_hand: bool = False) -> list[StartRow]:
    """The list as it would be published now; writes nothing. Raises StartOrderError."""
    return _rows(load(stage, reset_by_hand=reset_by_hand))


def open_stage(stage: Stage, author: User) -> StartList:
    """Publish version 1 and write the assigned starts; a stage that is open keeps the list in force.

    Raises StartOrderError, also while rules of the event are open that forbid publishing its results, and while
    somebody is not ready whom the event needs for it.
    """
    with transaction.atomic():
        inputs = _locked(stage)
        if inputs.published is None and (unsettled := blocking_settings(stage.event)):
            raise StartOrderError(" ".join(one.sentence for one in unsettled))
        if inputs.published is None and (unready := gate.refusal(inputs.stage)):
            raise StartOrderError(unready)
        if inputs.published is not None:
            return inputs.published
        made = _publish(inputs, _rows(inputs), author, "")
        opened = _("Stage opened: start list version %(version)d.") % {"version": made.version}
        tell(author, stage.event, stage, f"{opened} {gate.gate(inputs.stage).sentence}".strip())
        return made


def republish(stage: Stage, author: User, reason: str, *, reset_by_hand: bool = False) -> Republished:
    """Make the list anew from what holds now, and publish it as the next version if anything changed.

    Who has started is never moved; starts set by hand stay, unless `reset_by_hand`. Raises StartOrderError.
    """
    if not reason.strip():
        raise StartOrderError(_("a new version needs a reason"))
    with transaction.atomic():
        inputs = _locked(stage, reset_by_hand=reset_by_hand)
        if inputs.published is None:
            told = _("%(stage)s is not open yet: there is no list to publish again")
            raise StartOrderError(told % {"stage": stage.name})
        rows = _rows(inputs)
        if _hash(rows) == inputs.published.hash:
            _materialise(inputs, rows)
            return Republished(inputs.published, ())
        moves = _moves([StartRow(**row) for row in inputs.published.rows], rows)
        return Republished(_publish(inputs, rows, author, reason), moves)


def reposition(stage: Stage, entry: Entry, where: Where, reason: str, author: User) -> StartOverride:
    """Record that an official moves an entry; it replaces the entry's override in force, which is kept as revoked.

    The next list published heeds it. Raises StartOrderError when the entry has started, or when no list can be
    made with it; then nothing is written.
    """
    with transaction.atomic():
        queries.lock("event", [str(stage.event_id)])
        _check_move(stage, entry, where, reason)
        for earlier in StartOverride.objects.filter(stage=stage, entry=entry, revoked_at=None):
            revoke(earlier, author, reason)
        made = StartOverride.objects.create(
            stage=stage, entry=entry, position=where.position, after=where.after, start_at=where.start_at,
            reason=reason, author=author,
        )  # fmt: skip
        propose(stage)
        return made


def revoke(override: StartOverride, author: User, reason: str) -> StartOverride:
    """Take an override back; the row stays, signed, and the audit keeps why. Revoked before, it stays as it was.

    Raises StartOrderError without a reason.
    """
    if not reason.strip():
        raise StartOrderError(_("a move is taken back with a reason"))
    with transaction.atomic(), because(reason.strip()):
        queries.lock("event", [str(override.stage.event_id)])
        override.refresh_from_db()
        if override.revoked_at is None:
            override.revoked_at, override.revoked_by = timezone.now(), author
            override.save(update_fields=["revoked_at", "revoked_by", "updated_at"])
        return override


def _locked(stage: Stage, *, reset_by_hand: bool = False) -> Inputs:
    """The inputs, read under the event's lock, so that two officials publish one after the other."""
    queries.lock("event", [str(stage.event_id)])
    return load(Stage.objects.select_related("event").get(id=stage.id), reset_by_hand=reset_by_hand)


def _check_move(stage: Stage, entry: Entry, where: Where, reason: str) -> None:
    refusal = _why_not(stage, entry, where, reason)
    if refusal:
        raise StartOrderError(refusal)


def _why_not(stage: Stage, entry: Entry, where: Where, reason: str) -> str:
    """Why an entry cannot be moved so, as a sentence; empty where it can."""
    names = {"entry": entry, "stage": stage.name}
    given = [value for value in (where.position, where.after, where.start_at) if value is not None]
    if len(given) != 1:
        told = _("%(entry)s: give one of position, after and start_at; %(count)d are given")
        return told % {"entry": entry, "count": len(given)}
    if not reason.strip():
        return _("%(entry)s: moving it needs a reason") % names
    other = next((e for e in (entry, where.after) if e is not None and e.event_id != stage.event_id), None)
    if other is not None:
        return _("%(entry)s is an entry of another event than %(stage)s") % (names | {"entry": other})
    if where.position is not None and where.position < 1:
        return _("%(entry)s: positions begin at 1") % names
    if where.start_at is not None and where.start_at < stage.starts_at:
        at = {"at": where.start_at.isoformat()}
        return _("%(entry)s: %(at)s lies before the start of %(stage)s") % (names | at)
    if EntrySegmentStart.objects.filter(entry=entry, segment__stage=stage, actual_at__isnull=False).exists():
        return _("%(entry)s has started %(stage)s: it cannot be moved") % names
    return ""


def _rows(inputs: Inputs) -> list[StartRow]:
    slots = start_list(inputs.starters, inputs.settings.first_ts, inputs.settings.blocks, inputs.changes)
    return [_row(inputs, position, slot) for position, slot in enumerate(slots, start=1)]


def _row(inputs: Inputs, position: int, slot: Slot) -> StartRow:
    entry, override = inputs.entries[slot.entry], inputs.overrides.get(slot.entry)
    return StartRow(
        position=position,
        entry=slot.entry,
        number=entry.race_number,
        crew=" / ".join(_names(entry)),
        race_class=entry.race_class.code,
        block=slot.block,
        slot=slot.slot,
        slot_ms=slot.slot_ts,
        start_ms=slot.start_ts,
        reason=override.reason if override else "",
    )


def _names(entry: Entry) -> list[str]:
    links = sorted(entry.crew_links.all(), key=lambda link: link.created_at)
    return [f"{link.user.first_name} {link.user.last_name}".strip() for link in links]


def _publish(inputs: Inputs, rows: Sequence[StartRow], author: User, reason: str) -> StartList:
    _materialise(inputs, rows)
    return StartList.objects.create(
        stage=inputs.stage,
        version=inputs.published.version + 1 if inputs.published else 1,
        state=StartListState.PUBLISHED,
        rows=[asdict(row) for row in rows],
        reason=reason,
        author=author,
        published_at=timezone.now(),
        hash=_hash(rows),
    )


def _materialise(inputs: Inputs, rows: Sequence[StartRow]) -> None:
    """Write the assigned starts as the list says, and ask the scorer to look at them after the commit."""
    for segment, after_ms in inputs.timed:
        _write_starts(inputs, rows, segment, after_ms)
    names = {"event_id": str(inputs.stage.event_id), "stage_id": str(inputs.stage.id)}
    transaction.on_commit(lambda: stream.request(stream.connect(settings.REDIS_URL), "assignment", **names))


def _write_starts(inputs: Inputs, rows: Sequence[StartRow], segment: Segment, after_ms: int) -> None:
    held = {entry: row for (entry, of), row in inputs.rows.items() if of == str(segment.id)}
    starts = [_start(held.get(row.entry), row, segment, after_ms) for row in rows if not _kept(inputs, held, row.entry)]
    gone = [row.id for entry, row in held.items() if not _kept(inputs, held, entry) and entry not in _entries(rows)]
    EntrySegmentStart.objects.filter(id__in=gone).delete()
    EntrySegmentStart.objects.bulk_create([start for start in starts if start._state.adding])
    EntrySegmentStart.objects.bulk_update([start for start in starts if not start._state.adding], START_FIELDS)


START_FIELDS = ["start_position", "target_at", "manual_override", "updated_at"]


def _kept(inputs: Inputs, held: Mapping[str, EntrySegmentStart], entry: str) -> bool:
    """Whether the start on record is not the list's to change: the entry has started, or it was set by hand."""
    row = held.get(entry)
    before = inputs.changes.published.get(entry)
    if row is None:
        return False
    if before is None:
        return row.actual_at is not None or row.manual_override
    return before.started or (row.manual_override and before.by_hand and entry not in inputs.changes.overrides)


def _entries(rows: Sequence[StartRow]) -> set[str]:
    return {row.entry for row in rows}


def _start(held: EntrySegmentStart | None, row: StartRow, segment: Segment, after_ms: int) -> EntrySegmentStart:
    start = held or EntrySegmentStart(entry_id=row.entry, segment=segment)
    start.start_position = row.position
    start.target_at = instant(row.start_ms + after_ms)
    start.manual_override = False
    start.updated_at = timezone.now()
    return start


def _moves(old: Sequence[StartRow], new: Sequence[StartRow]) -> tuple[Move, ...]:
    """Who starts at another instant, in order of the new list; then who is on it no more."""
    before = {row.entry: row for row in old}
    moves = [
        Move(row.number, was.start_ms if was else None, row.start_ms)
        for row in new
        if (was := before.get(row.entry)) is None or was.start_ms != row.start_ms
    ]
    gone = [Move(row.number, row.start_ms, None) for row in old if row.entry not in _entries(new)]
    return (*moves, *gone)


def _hash(rows: Sequence[StartRow]) -> str:
    """SHA-256 of the rows as canonical JSON."""
    content: list[dict[str, Any]] = [asdict(row) for row in rows]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
