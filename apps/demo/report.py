"""What the demo says at the beginning, where to look and who may, and the classification at the end."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.urls import reverse

from apps.course.models import Stage
from apps.demo.services import Login
from apps.events.models import Event
from apps.penalties.domain.formulas import clock
from apps.scoring import queries
from apps.scoring.board import event_topic, stage_topic

HEAD = f"{'rank':>4}  {'no.':>4}  {'class':<5} {'crew':<36} {'time':>9} {'penalty':>9} {'total':>9}  status\n"


def welcome(event: Event, logins: Sequence[Login], port: int) -> str:
    """The pages by who may see them, with the passwords of the race office."""
    address = f"http://127.0.0.1:{port}"
    where = [event.organization.slug, event.slug]
    anyone = [
        ("leaderboard", reverse("live:leaderboard", args=[event.slug])),
        ("map", reverse("live:map", args=where)),
        ("replay", reverse("live:replay", args=where)),
        ("documents", reverse("documents:event", args=[event.id])),
        ("REST API", reverse("swagger")),
    ]
    office = [("desk", reverse("admin:index")), ("race control", reverse("live:control", args=where))]
    people = [f"  {login.role:<14} {login.email:<24} {login.password}\n" for login in logins]
    return (
        f"\n  {event.name} is on; what was driven so far comes in first.\n\n  for all\n"
        + "".join(f"  {name:<14} {address}{path}\n" for name, path in anyone)
        + "\n  for the race office\n"
        + "".join(f"  {name:<14} {address}{path}\n" for name, path in office)
        + "".join(people)
        + "\n  Ctrl-C ends it.\n"
    )


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
