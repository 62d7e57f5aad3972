"""Acts of race control that reach starts and times: starts released later, a stopped stage and its notional times.

The log's own acts are those of `apps.racelog.services`. What is made here hangs on a line of the log, and goes with
it when the line is taken back.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from django.db import transaction
from django.db.models import Q

from apps.accounts.models import User
from apps.common.position import instant
from apps.course.models import Stage
from apps.penalties.models import Decision
from apps.racelog import services
from apps.racelog.domain.log import ENDS, Kind, stage_state
from apps.racelog.models import LogLine
from apps.racelog.queries import state_lines
from apps.racelog.services import Draft
from apps.scoring.decisions import revoke
from apps.scoring.postponing import Postponed, postpone, restore


def release(user: User, draft: Draft, first_ts: int | None) -> tuple[LogLine, Postponed | None]:
    """Starts go on after a hold, or after a red signal (a GREEN draft): who waits starts later, in the same order
    with the same intervals, the first of them at `first_ts` (epoch ms). None leaves the list as it is, and so does
    what else still holds the starts.

    Raises as `apps.racelog.services.write`, and StartOrderError where no list can be made.
    """
    assert draft.kind in (Kind.RELEASE, Kind.GREEN) and draft.stage is not None
    with transaction.atomic():
        services.hold(draft.event)
        since = goes_on_from(draft.stage, draft.kind)
        later = None if first_ts is None else instant(first_ts)
        services.require_may(user, draft)
        moved = postpone(draft.stage, since, later, draft.text, user) if later and since is not None else None
        data = {} if moved is None else {"moved": moved.as_data(), "by_ms": moved.by_ms}
        return services.write(user, replace(draft, data={**draft.data, **data})), moved


def goes_on_from(stage: Stage, kind: Kind) -> int | None:
    """Since when (epoch ms) those wait who go on when a hold (RELEASE) or a stop (GREEN) ends now; None where
    something else still keeps them, or nothing does."""
    state = stage_state(state_lines(stage.event_id), str(stage.pk))
    other = state.red if ENDS[kind] is Kind.HOLD else state.hold
    if other is not None or (kind is Kind.RELEASE and held_elsewhere(stage)):
        return None
    return state.since


def held_elsewhere(stage: Stage) -> str:
    """The control at which starts are held, where the start list gives no times for it; empty otherwise.

    Starts within a stage are assigned on the road (rulebook 1.2): a list cannot move them.
    """
    hold = stage_state(state_lines(stage.event_id), str(stage.pk)).hold
    line = LogLine.objects.filter(pk=hold.id, control__isnull=False).first() if hold else None
    if line is None:
        return ""
    listed = stage.segments.filter(entry_starts__isnull=False).distinct()
    starts = listed.filter(Q(entry_geofence=line.control) | Q(waypoints=line.control, waypoints__type="DSS"))
    return "" if not listed.exists() or starts.exists() else line.place


def take_back(user: User, line: LogLine, reason: str) -> LogLine:
    """Take a line of the log back, with what the act did. Raises as `apps.racelog.services.take_back`."""
    with transaction.atomic():
        done = services.take_back(user, line, reason)
        if Kind(line.kind) in UNDO:
            UNDO[Kind(line.kind)](user, line, reason)
        return done


def _restore(user: User, line: LogLine, reason: str) -> None:
    if line.stage is not None and line.data.get("moved"):
        restore(line.stage, line.data["moved"], reason, user)


def _revoke(user: User, line: LogLine, reason: str) -> None:
    for decision in Decision.objects.filter(pk__in=line.data.get("decisions", ()), revoked_at=None):
        revoke(decision, user, reason)


UNDO: Mapping[Kind, Callable[[User, LogLine, str], None]] = {
    Kind.RELEASE: _restore,
    Kind.GREEN: _restore,
    Kind.NOTIONAL: _revoke,
}
