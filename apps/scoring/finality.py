"""What keeps an event from being official: its stages come first (rulebook 9.2)."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from apps.course.models import Stage
from apps.events.models import Event
from apps.scoring.models import ResultRevision, RevisionState, StageResult

TOLD = 10


def unsettled(event: Event) -> Iterator[str]:
    """Sentences, each about a stage that still runs, has no official result, or has moved on since.

    A stage nobody drove is published like the others: then it is said that it counts for nothing.
    """
    for stage in Stage.objects.filter(event=event).order_by("sort_order"):
        yield from _running(stage)
        yield from _not_official(stage)


def _running(stage: Stage) -> Iterator[str]:
    rows = StageResult.objects.filter(stage=stage, status="running", entry__competing=True)
    if numbers := sorted(rows.values_list("entry__race_number", flat=True)):
        yield _("%(stage)s still runs: number %(numbers)s has no end there, finished or a status by decision.") % {
            "stage": stage, "numbers": _told(numbers),
        }  # fmt: skip


def _not_official(stage: Stage) -> Iterator[str]:
    last = ResultRevision.objects.filter(stage=stage).defer("snapshot").order_by("-number").first()
    if last is None or last.state != RevisionState.OFFICIAL:
        state = last.get_state_display() if last else _("not published")
        yield _("%(stage)s has no official result (%(state)s): the stages are made official before the event.") % {
            "stage": stage, "state": state,
        }  # fmt: skip
    elif numbers := _moved(stage, last):
        yield _("%(stage)s: number %(numbers)s has moved since its official result: amend that first.") % {
            "stage": stage, "numbers": _told(numbers),
        }  # fmt: skip


def _moved(stage: Stage, official: ResultRevision) -> list[int]:
    """The numbers whose time or rank on the board is not what the official result of the stage says."""
    rows = StageResult.objects.filter(stage=stage).values_list("entry_id", "total_ms", "rank")
    shown = {str(entry): (total, rank) for entry, total, rank in rows}
    lines: list[dict[str, Any]] = official.snapshot["results"]
    return sorted(line["number"] for line in lines if shown.get(line["entry"]) != (line["total_ms"], line["rank"]))


def _told(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:TOLD])) + ("…" if len(numbers) > TOLD else "")
