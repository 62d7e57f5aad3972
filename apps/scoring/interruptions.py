"""A special stopped by the red signal: whom it met, which times to award, and awarding them (rulebook 8.3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.course.models import Segment, Stage
from apps.events.models import Entry
from apps.racelog import services
from apps.racelog.domain.log import Kind, stage_state
from apps.racelog.models import LogLine
from apps.racelog.queries import state_lines
from apps.racelog.services import Draft
from apps.scoring.decisions import Draft as DecisionDraft
from apps.scoring.decisions import decide
from apps.scoring.models import StageResult
from apps.timing.domain.interruption import Drive, Interruption, Proposal, Seeding, proposals


@dataclass(frozen=True, slots=True)
class Met:
    """A crew in the special: instants in epoch ms, the driven time in ms; None where there is none yet."""

    entry: Entry
    start_ts: int | None
    finish_ts: int | None
    time_ms: int | None
    notional: bool

    def on_course(self, red_ts: int) -> bool:
        """Whether it was in the special when the red signal was shown."""
        return self.start_ts is not None and self.start_ts <= red_ts and (self.finish_ts or red_ts + 1) > red_ts

    @property
    def drive(self) -> Drive | None:
        if self.notional or self.finish_ts is None or self.time_ms is None:
            return None
        return Drive(str(self.entry.pk), self.finish_ts, self.time_ms)


@dataclass(frozen=True, slots=True)
class Award:
    """A time to be given to a crew, ms, by the article named ("" = officials choose)."""

    entry: Entry
    time_ms: int
    article: str = ""


@dataclass(frozen=True, slots=True)
class Cast:
    """What officials say of a stop: who was shown red, who caused it, whose times are set aside; entry ids."""

    shown: tuple[str, ...]
    causes: frozenset[str] = frozenset()
    anomalous: frozenset[str] = frozenset()
    seeding: Seeding = Seeding.FASTEST_FIRST


def field_of(segment: Segment) -> list[Met]:
    """Every competing crew with what it has driven of a special, by race number."""
    rows = StageResult.objects.filter(stage=segment.stage_id).values_list("entry_id", "outcome")
    driven = {entry: _of(outcome, str(segment.pk)) for entry, outcome in rows}
    entries = Entry.objects.filter(event=segment.stage.event_id, competing=True).order_by("race_number")
    return [_met(entry, driven.get(entry.pk, {})) for entry in entries]


def proposed(field: Iterable[Met], red: LogLine, cast: Cast) -> tuple[Proposal, ...]:
    """What each crew should get, for officials to decide."""
    red_ts = _ms(red)
    stop = Interruption(red_ts, cast.shown, cast.causes, cast.seeding, green_ts(red), cast.anomalous)
    drives = [met.drive for met in field]
    return proposals(stop, [drive for drive in drives if drive is not None])


def green_ts(red: LogLine) -> int | None:
    """When the stage went on after a red signal (epoch ms), None while it is stopped."""
    mine = [one for one in state_lines(red.event_id) if one.stage == str(red.stage_id)]
    state = stage_state(mine, str(red.stage_id))
    if state.red is not None and state.red.id == str(red.pk):
        return None
    return next((one.ts for one in mine if one.kind is Kind.GREEN and one.ts >= _ms(red)), None)


def award(user: User, red: LogLine, segment: Segment, awards: Sequence[Award], reason: str) -> LogLine:
    """Decide the notional times of a stop: a decision each, and one line of the log that names them.

    Raises PermissionDenied, and ValidationError without a time to award or a reason.
    """
    if not awards:
        raise ValidationError(_("Choose who gets a time."))
    if not reason.strip():
        raise ValidationError(_("Give the reason: it stays with the decision."))
    stage = red.stage
    assert stage is not None  # a red signal is of a stage
    draft = Draft(red.event, Kind.NOTIONAL, stage, text=reason, about=str(red.pk))
    services.require_may(user, draft)
    with transaction.atomic():
        services.hold(red.event)
        made = [decide(_decision(stage, segment, one, reason), user) for one in awards]
        data = {"decisions": [str(one.pk) for one in made], "numbers": [one.entry.race_number for one in awards]}
        return services.write(user, Draft(red.event, Kind.NOTIONAL, stage, text=reason, about=str(red.pk), data=data))


def _decision(stage: Stage, segment: Segment, one: Award, reason: str) -> DecisionDraft:
    params = {"segment": str(segment.pk), "ms": one.time_ms}
    return DecisionDraft(stage.event, "notional_time", params, reason, one.entry, stage=stage, article=one.article)


def _of(outcome: Mapping[str, Any], segment: str) -> Mapping[str, Any]:
    found: Sequence[Mapping[str, Any]] = outcome.get("segments") or ()
    return next((one for one in found if one["segment"] == segment), {})


def _met(entry: Entry, driven: Mapping[str, Any]) -> Met:
    return Met(
        entry=entry,
        start_ts=driven.get("start_ts") if driven.get("driven_ts") is not None or driven.get("finish_ts") else None,
        finish_ts=driven.get("finish_ts"),
        time_ms=driven.get("net_ms"),
        notional=bool(driven.get("notional")),
    )


def _ms(line: LogLine) -> int:
    return round(line.at.timestamp() * 1000)
