"""What a start list is made from: settings, the field with its results, overrides, and the list before."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from apps.common.position import EPOCH, MILLISECOND
from apps.common.said import of_error
from apps.course.models import Segment, SegmentType, Stage, StartFrom
from apps.events.models import Entry, RaceClass
from apps.penalties.models import AppliesTo, EntryPenalty, PenaltyStatus
from apps.scoring.models import EventResult, ResultStatus, StageResult
from apps.timing.domain.start_list import Block, Changes, Override, Published, Slot
from apps.timing.domain.start_order import NO_START, Starter, StartOrderError, Strategy
from apps.timing.domain.start_settings import StageFacts, StartSettings, read_settings
from apps.timing.models import EntrySegmentStart, StartList, StartListState, StartOverride

Timed = tuple[Segment, int]  # a segment whose starts are written, and its ms after the list's instant


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that decides a stage's list. `rows` maps (entry, segment) to the start on record."""

    stage: Stage
    settings: StartSettings
    entries: Mapping[str, Entry]
    starters: tuple[Starter, ...]
    timed: tuple[Timed, ...]
    overrides: Mapping[str, StartOverride]
    rows: Mapping[tuple[str, str], EntrySegmentStart]
    published: StartList | None
    changes: Changes


def load(stage: Stage, *, reset_by_hand: bool = False) -> Inputs:
    """Read the inputs of a stage's list; `reset_by_hand` lets go of starts set by hand.

    Raises StartOrderError for settings or results no list can be made from.
    """
    settings = settings_of(stage)
    entries = {str(e.id): e for e in _field(stage)}
    _check_numbers(settings, entries.values())
    timed = _timed(stage, settings)
    overrides = {str(o.entry_id): o for o in StartOverride.objects.filter(stage=stage, revoked_at=None)}
    rows = {
        (str(r.entry_id), str(r.segment_id)): r
        for r in EntrySegmentStart.objects.filter(segment__in=[segment for segment, _ in timed])
    }
    published = StartList.objects.filter(stage=stage, state=StartListState.PUBLISHED).order_by("-version").first()
    before = _Before(stage, timed, rows, published).of(entries, settings.blocks, reset_by_hand=reset_by_hand)
    return Inputs(
        stage=stage,
        settings=settings,
        entries=entries,
        starters=tuple(_starters(stage, settings, entries)),
        timed=timed,
        overrides=overrides,
        rows=rows,
        published=published,
        changes=Changes(
            {e: _override(row) for e, row in overrides.items() if not _spent(row, before.get(e), published)}, before
        ),
    )


def settings_of(stage: Stage) -> StartSettings:
    """The stage's start order settings. Raises StartOrderError naming the stage and the field."""
    facts = StageFacts(
        strategy=stage.start_order_strategy,
        interval_s=stage.start_interval_seconds,
        starts_at=stage.starts_at,
        zone=ZoneInfo(stage.event.time_zone),
        classes=frozenset(RaceClass.objects.filter(event=stage.event_id).values_list("code", flat=True)),
    )
    try:
        return read_settings(stage.start_order_strategy_params, facts)
    except StartOrderError as error:
        raise StartOrderError(f"{stage.name}: {of_error(error, _)}") from error


def epoch_ms(instant: datetime) -> int:
    return (instant - EPOCH) // MILLISECOND


def _field(stage: Stage) -> Sequence[Entry]:
    rows = Entry.objects.filter(event=stage.event_id, competing=True).select_related("race_class")
    return list(rows.prefetch_related("crew_links__user"))


def _check_numbers(settings: StartSettings, entries: Iterable[Entry]) -> None:
    stray = sorted(settings.numbers - {entry.race_number for entry in entries})
    if stray:
        told = _("order and choices: %(numbers)s in no competing entry of this event")
        raise StartOrderError(told % {"numbers": ", ".join(map(str, stray))})


def _timed(stage: Stage, settings: StartSettings) -> tuple[Timed, ...]:
    """The segments of the settings; else the first with an assigned start, the first special stage, or the first.

    Later segments with an assigned start get theirs on the road, at the stop point (rulebook 1.2): the list's
    time would be false evidence there.
    """
    segments = {segment.sort_order: segment for segment in Segment.objects.filter(stage=stage)}
    stray = next((o.sort_order for o in settings.segments if o.sort_order not in segments), None)
    if stray is not None:
        told = _("segments: %(stage)s has no segment with sort order %(order)s")
        raise StartOrderError(told % {"stage": stage.name, "order": stray})
    if settings.segments:
        return tuple((segments[o.sort_order], o.after_ms) for o in settings.segments)
    if not segments:
        raise StartOrderError(_("%(stage)s has no segment to start") % {"stage": stage.name})
    return ((min(segments.values(), key=_eligibility), 0),)


def _eligibility(segment: Segment) -> tuple[bool, bool, int]:
    assigned = segment.start_from == StartFrom.ASSIGNED
    return not assigned, segment.type != SegmentType.SPECIAL_STAGE, segment.sort_order


def _spent(row: StartOverride, before: Published | None, published: StartList | None) -> bool:
    """Whether the list in force heeds the override already, and the entry has been at the start, or was set by hand,
    since: then that is the later word."""
    if before is None or published is None or published.published_at is None:
        return False
    return (before.seen or before.by_hand) and row.created_at <= published.published_at


def _override(row: StartOverride) -> Override:
    return Override(
        entry=str(row.entry_id),
        position=row.position,
        after=None if row.after_id is None else str(row.after_id),
        start_ts=None if row.start_at is None else epoch_ms(row.start_at),
    )


def _starters(stage: Stage, settings: StartSettings, entries: Mapping[str, Entry]) -> Iterator[Starter]:
    """The field with what ranks it. Late is who was not on the first version of the list."""
    merits, outcomes = _ranking(stage, settings) if settings.from_results else ({}, {})
    first = StartList.objects.filter(stage=stage, state=StartListState.PUBLISHED).order_by("version").first()
    opened = {row["entry"] for row in first.rows} if first else set(entries)
    words = dict(EventResult.objects.filter(event=stage.event_id).values_list("entry_id", "status"))
    for entry_id, entry in entries.items():
        word = words.get(entry.id, "")
        decided = word if word in (ResultStatus.DSQ, ResultStatus.NC) and entry.status not in NO_START else ""
        yield Starter(
            entry=entry_id,
            number=entry.race_number,
            race_class=entry.race_class.code,
            status=decided or entry.status,
            merit=merits.get(entry_id),
            outcome=outcomes.get(entry_id, ""),
            late=entry_id not in opened,
        )


_Ranking = tuple[dict[str, int], dict[str, str]]


def _ranking(stage: Stage, settings: StartSettings) -> _Ranking:
    """Merit and status per entry, of the event's classification or of the input stage's."""
    if settings.source == "overall":
        found, where = _overall(stage, settings), _("the event")
    else:
        given = _input_stage(stage, settings.strategy)
        found, where = _of_stage(given, with_penalties=settings.with_penalties), given.name
    if not found[0]:
        told = _("%(stage)s: %(where)s has no result yet to make the order %(strategy)s from")
        raise StartOrderError(told % {"stage": stage.name, "where": where, "strategy": settings.strategy})
    return found


def _input_stage(stage: Stage, strategy: Strategy) -> Stage:
    if stage.start_order_input_stage is not None:
        return stage.start_order_input_stage
    previous = Stage.objects.filter(event=stage.event_id, starts_at__lt=stage.starts_at).order_by("-starts_at").first()
    if previous is None:
        told = _("%(stage)s: no stage before it; %(strategy)s needs start_order_input_stage")
        raise StartOrderError(told % {"stage": stage.name, "strategy": strategy})
    return previous


def _of_stage(stage: Stage, *, with_penalties: bool) -> _Ranking:
    """Special-stage time plus the penalties that touch the start order (rulebook 6.3), or without any."""
    rows = list(StageResult.objects.filter(stage=stage, entry__competing=True))
    counted = _start_order_penalties(stage) if with_penalties else {}
    merits = {
        str(row.entry_id): row.time_ms + counted.get(str(row.entry_id), 0)
        for row in rows
        if row.status == ResultStatus.FINISHED and row.time_ms is not None
    }
    return merits, {str(row.entry_id): row.status for row in rows}


def _start_order_penalties(stage: Stage) -> dict[str, int]:
    sums: dict[str, int] = {}
    rows = EntryPenalty.objects.filter(stage=stage, applies_to__contains=[AppliesTo.START_ORDER])
    rows = rows.exclude(status=PenaltyStatus.WAIVED)
    for entry, seconds in rows.values_list("entry_id", "seconds"):
        sums[str(entry)] = sums.get(str(entry), 0) + int(seconds * 1000)
    return sums


def _overall(stage: Stage, settings: StartSettings) -> _Ranking:
    """The event's ranks; entries with equal times are level, for ties are by number here (DAK-COURSE)."""
    rows = list(EventResult.objects.filter(event=stage.event_id, entry__competing=True))
    ranked = [row for row in rows if row.rank is not None]
    if settings.with_penalties:
        ranked.sort(key=lambda row: row.rank or 0)
    else:
        ranked.sort(key=_clean)
    level = groupby(ranked, key=lambda r: (-r.completed_stages, r.total_ms) if settings.with_penalties else _clean(r))
    merits = {str(row.entry_id): merit for merit, (_, group) in enumerate(level, start=1) for row in group}
    return merits, {str(row.entry_id): row.status for row in rows}


def _clean(row: EventResult) -> tuple[int, int]:
    return -row.completed_stages, row.time_ms or 0


@dataclass(frozen=True, slots=True)
class _Before:
    """The list in force and the starts on record."""

    stage: Stage
    timed: tuple[Timed, ...]
    rows: Mapping[tuple[str, str], EntrySegmentStart]
    published: StartList | None

    def of(self, entries: Mapping[str, Entry], blocks: Sequence[Block], *, reset_by_hand: bool) -> dict[str, Published]:
        slots = self._published() or self._written(entries, blocks)
        seen = self._seen()
        found = {}
        for entry in entries.keys() & slots.keys():
            mine = [row for (of, _), row in self.rows.items() if of == entry]
            found[entry] = Published(
                slot=slots[entry],
                started=any(row.actual_at is not None for row in mine),
                seen=entry in seen,
                by_hand=not reset_by_hand and any(row.manual_override for row in mine),
            )
        return found

    def _published(self) -> dict[str, Slot]:
        rows = self.published.rows if self.published else []
        return {
            r["entry"]: Slot(r["entry"], r["block"], r["slot"], r["slot_ms"], self._start(r["entry"]) or r["start_ms"])
            for r in rows
        }

    def _written(self, entries: Mapping[str, Entry], blocks: Sequence[Block]) -> dict[str, Slot]:
        """Starts without a list, in their order within each block."""
        first, _ = self.timed[0]
        rows = sorted((r for (_, s), r in self.rows.items() if s == str(first.id)), key=lambda r: r.start_position)
        slots: dict[str, Slot] = {}
        for block in blocks:
            mine = [e for r in rows if (e := str(r.entry_id)) in entries]
            mine = [e for e in mine if entries[e].race_class.code in block.classes]
            for slot, entry in enumerate(mine, start=1):
                ts = self._start(entry) or 0
                slots[entry] = Slot(entry, block.name, slot, ts, ts)
        return slots

    def _start(self, entry: str) -> int | None:
        """The entry's instant on the list, from its start of the first segment."""
        segment, after_ms = self.timed[0]
        row = self.rows.get((entry, str(segment.id)))
        return None if row is None else epoch_ms(row.target_at) - after_ms

    def _seen(self) -> set[str]:
        """Who the scorer saw pass the start control of the first segment."""
        first = str(self.timed[0][0].id)
        rows = StageResult.objects.filter(stage=self.stage).values_list("entry_id", "outcome")
        return {
            str(entry)
            for entry, outcome in rows
            for segment in outcome.get("segments", [])
            if segment["segment"] == first and segment.get("driven_ts") is not None
        }
