"""The classification as text."""

from django.db.models import QuerySet

from apps.course.models import Stage
from apps.events.models import Event
from apps.penalties.domain.formulas import clock
from apps.scoring import queries
from apps.scoring.board import event_topic, stage_topic

HEAD = f"{'rank':>4}  {'no.':>4}  {'class':<5} {'crew':<36} {'time':>9} {'penalty':>9} {'total':>9}  status\n"


def classification(event: Event) -> str:
    """Every stage and the event, by rank."""
    stages: QuerySet[Stage] = Stage.objects.filter(event=event)
    tables = [_table(stage.name, stage_topic(str(event.id), str(stage.id))) for stage in stages]
    return "\n".join([*tables, _table(f"{event.name}: overall", event_topic(str(event.id)))])


def _table(title: str, topic: str) -> str:
    return f"\n{title}\n{HEAD}" + "".join(_line(line) for line in queries.board(topic)[1])


def _line(line: queries.BoardLine) -> str:
    rank = line["rank"] or "-"
    times = [_clock(line[key]) for key in ("timeMs", "penaltyMs", "totalMs")]
    return (
        f"{rank:>4}  {line['raceNumber']:>4}  {line['classCode']:<5} {line['crew'][:36]:<36} "
        f"{times[0]:>9} {times[1]:>9} {times[2]:>9}  {line['status']}\n"
    )


def _clock(ms: int | None) -> str:
    return clock(ms) if ms else ""
