"""Starts moved to later together: who waits keeps the order and the intervals (a hold, a stopped stage)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.common.position import instant
from apps.course.models import Stage
from apps.scoring import queries
from apps.scoring.start_inputs import epoch_ms
from apps.scoring.start_lists import StartRow, republish
from apps.timing.models import EntrySegmentStart, StartList, StartListState, StartOverride


@dataclass(frozen=True, slots=True)
class Postponed:
    """Who starts `by_ms` later; `overrides` are [id, id of the override it replaced or ""]."""

    by_ms: int
    numbers: tuple[int, ...]
    overrides: tuple[tuple[str, str], ...]

    def as_data(self) -> list[list[str]]:
        """As a line of the log keeps it."""
        return [list(pair) for pair in self.overrides]


def waiting(stage: Stage, held_ts: int) -> list[StartRow]:
    """Who has not started and was to start at `held_ts` (epoch ms) or later, by the list in force, in its order."""
    published = StartList.objects.filter(stage=stage, state=StartListState.PUBLISHED).order_by("-version").first()
    if published is None:
        return []
    gone = set(
        EntrySegmentStart.objects.filter(segment__stage=stage, actual_at__isnull=False).values_list(
            "entry_id", flat=True
        )
    )
    away = {str(entry) for entry in gone}
    rows = [StartRow(**row) for row in published.rows]
    return [row for row in rows if row.start_ms >= held_ts and row.entry not in away]


def postpone(stage: Stage, held_ts: int, first: datetime, reason: str, author: User) -> Postponed | None:
    """Publish the list anew with who waits since `held_ts` moved by as much as brings the first of them to `first`.

    None where nobody has to move. Raises StartOrderError.
    """
    with transaction.atomic():
        queries.lock("event", [str(stage.event_id)])
        rows = waiting(stage, held_ts)
        by_ms = epoch_ms(first) - rows[0].start_ms if rows else 0
        if by_ms <= 0:
            return None
        pairs = _override(stage, {row.entry: row.start_ms + by_ms for row in rows}, reason, author)
        republish(stage, author, reason)
        return Postponed(by_ms, tuple(row.number for row in rows), pairs)


def restore(stage: Stage, pairs: Sequence[Sequence[str]], reason: str, author: User) -> None:
    """Take a postponement back: the overrides it replaced hold again, and the list is published anew.

    Who has been moved otherwise since, or has started, stays. Raises StartOrderError.
    """
    with transaction.atomic():
        queries.lock("event", [str(stage.event_id)])
        before: dict[str, str] = {pair[0]: pair[1] for pair in pairs}
        held = StartOverride.objects.filter(pk__in=before, revoked_at=None)
        entries = {str(row.entry_id): before[str(row.pk)] for row in held}
        _revoke(held, author)
        earlier = StartOverride.objects.filter(pk__in=[one for one in entries.values() if one])
        StartOverride.objects.bulk_create([_again(row, reason, author) for row in earlier])
        republish(stage, author, reason)


def _override(stage: Stage, starts: Mapping[str, int], reason: str, author: User) -> tuple[tuple[str, str], ...]:
    held = StartOverride.objects.filter(stage=stage, entry__in=list(starts), revoked_at=None)
    earlier = {str(row.entry_id): str(row.pk) for row in held}
    _revoke(held, author)
    made = StartOverride.objects.bulk_create(
        StartOverride(stage=stage, entry_id=entry, start_at=instant(ts), reason=reason, author=author)
        for entry, ts in starts.items()
    )
    return tuple((str(row.pk), earlier.get(str(row.entry_id), "")) for row in made)


def _revoke(rows: Any, author: User) -> None:
    now = timezone.now()
    rows.update(revoked_at=now, revoked_by=author, updated_at=now)


def _again(row: StartOverride, reason: str, author: User) -> StartOverride:
    return StartOverride(
        stage_id=row.stage_id, entry_id=row.entry_id, position=row.position, after_id=row.after_id,
        start_at=row.start_at, reason=f"{row.reason} ({reason})", author=author,
    )  # fmt: skip
