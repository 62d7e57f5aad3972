"""When a stage is open and when it is over, for those who may not look ahead."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from apps.course.models import Stage
from apps.events.audience import Audience
from apps.events.models import Entry, Event
from apps.scoring.models import ResultStatus, StageResult

UNDER_WAY = (ResultStatus.REGISTERED.value, ResultStatus.RUNNING.value)


@dataclass(frozen=True, slots=True)
class StageTime:
    """A stage with its window; `open` and `over` as the audience may know it."""

    stage: Stage
    starts_at: datetime
    ends_at: datetime
    open: bool
    over: bool


def stage_times(event: Event, audience: Audience) -> list[StageTime]:
    """The stages of an event in order, as they stand at the instant the audience is shown.

    A stage is over when its window ends, or when every competing entry has a result there that is settled.
    """
    now = timezone.now() - timedelta(milliseconds=audience.delay_ms)
    stages = list(Stage.objects.filter(event=event).order_by("starts_at"))
    if not stages:
        return []
    ends = [*(stage.starts_at for stage in stages[1:]), event.ends_at]
    settled = _settled(event, now)
    return [
        StageTime(stage, stage.starts_at, end, stage.starts_at <= now, end <= now or stage.id in settled)
        for stage, end in zip(stages, ends, strict=True)
    ]


def _settled(event: Event, now: datetime) -> set[object]:
    competing = Entry.objects.filter(event=event, competing=True).count()
    done = StageResult.objects.filter(stage__event=event, entry__competing=True, updated_at__lte=now)
    rows = done.exclude(Q(status__in=UNDER_WAY)).values_list("stage_id", flat=True)
    counts: dict[object, int] = {}
    for stage in rows:
        counts[stage] = counts.get(stage, 0) + 1
    return {stage for stage, count in counts.items() if competing and count >= competing}
