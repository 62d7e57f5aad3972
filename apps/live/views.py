"""The public pages: which rallies there are, and the leaderboard of one."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.accounts.models import User
from apps.accounts.policy import may_view_event
from apps.course.models import Stage
from apps.events.models import Event, RaceClass
from apps.live.standings import standings
from apps.scoring.board import event_topic, stage_topic
from apps.scoring.models import ResultStatus
from apps.scoring.queries import board


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    query: str
    current: bool


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """The rallies this visitor may follow, newest first."""
    return _list(request, _visible(request.user, Event.objects.select_related("organization")))


@require_safe
def leaderboard(request: HttpRequest, slug: str, organization: str | None = None) -> HttpResponse:
    """One event's board: `?stage=<its number or id>`, overall without, `?class=<code>`, all without.

    A slug that several organizations use gives the list of their rallies, unless `organization` says which.
    """
    named = Event.objects.select_related("organization").filter(slug=slug)
    if organization is not None:
        named = named.filter(organization__slug=organization)
    found = _visible(request.user, named)
    if len(found) > 1:
        return _list(request, found)
    if found:
        return _board(request, found[0])
    raise Http404  # also where there is one that this visitor may not see: its name is not told


def _visible(user: User | AnonymousUser, events: Any) -> list[Event]:
    return [event for event in events if may_view_event(user, event)]


def _list(request: HttpRequest, events: list[Event]) -> HttpResponse:
    shared = Counter(event.slug for event in events)
    links = [(event, _address(event, alone=shared[event.slug] == 1)) for event in events]
    return render(request, "live/events.html", {"links": links})


def _address(event: Event, *, alone: bool) -> str:
    if alone:
        return reverse("live:leaderboard", args=[event.slug])
    return reverse("live:leaderboard-of", args=[event.organization.slug, event.slug])


def _board(request: HttpRequest, event: Event) -> HttpResponse:
    stages = list(Stage.objects.filter(event=event))
    classes = list(RaceClass.objects.filter(event=event, entries__competing=True).distinct())
    stage = _chosen_stage(request, stages)
    race_class = _chosen_class(request, classes)
    topic = stage_topic(str(event.id), str(stage.id)) if stage else event_topic(str(event.id))
    seq, lines = board(topic)
    context = {
        "event": event,
        "tabs": _tabs(stages, stage, race_class),
        "stage": stage,
        "classes": classes,
        "race_class": race_class,
        "standings": standings(lines, race_class),
        "topic": topic,
        "seq": seq,
        "words": _words(),
    }
    return render(request, "live/leaderboard.html", context)


def _chosen_stage(request: HttpRequest, stages: list[Stage]) -> Stage | None:
    number = request.GET.get("stage", "")
    if not number:
        return None
    for stage in stages:
        if number in (str(stage.sort_order), str(stage.id)):
            return stage
    raise Http404


def _chosen_class(request: HttpRequest, classes: list[RaceClass]) -> str:
    code = request.GET.get("class", "")
    if code and all(code != race_class.code for race_class in classes):
        raise Http404
    return code


def _tabs(stages: list[Stage], chosen: Stage | None, race_class: str) -> list[Tab]:
    numbers = [("", _("Overall")), *((str(stage.sort_order), stage.name) for stage in stages)]
    current = str(chosen.sort_order) if chosen else ""
    return [Tab(name, _query(number, race_class), number == current) for number, name in numbers]


def _query(stage: str, race_class: str) -> str:
    given = {name: value for name, value in (("stage", stage), ("class", race_class)) if value}
    return f"?{urlencode(given)}"


def _words() -> dict[str, Any]:
    """What the page's module says, in the visitor's language."""
    return {
        "connecting": _("Connecting…"),
        "live": _("Live"),
        "lost": _("Reconnecting…"),
        "refused": _("Live updates ended. Reload the page."),
        "leader": _("New leader: {number} {crew}"),
        "fewer": _("fewer stages"),
        "statuses": {str(value): str(label) for value, label in ResultStatus.choices},
    }
