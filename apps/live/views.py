"""The public pages: which rallies there are, and the leaderboard of one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.accounts.policy import may_view_event
from apps.accounts.rights import AnyUser
from apps.course.models import Stage
from apps.events.audience import audience_of
from apps.events.models import Event
from apps.live.expectations import expected_ranks
from apps.live.pages import Visit, chosen_class, chosen_stage, classes_of, frame, stages_of
from apps.live.protocol import Kind
from apps.live.standings import standings, with_expected
from apps.live.words import board_words
from apps.scoring.board import event_topic, stage_topic
from apps.scoring.released import released_board, view


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
        seen = Visit(found[0], audience_of(request.user, found[0]))
        return render(request, "live/leaderboard.html", board_context(request, seen))
    raise Http404  # also where there is one that this visitor may not see: its name is not told


def board_context(request: HttpRequest, seen: Visit) -> dict[str, Any]:
    """What the board's pages and widgets show: the stage and class that `request` asks for."""
    event, stages, classes = seen.event, stages_of(seen.event), classes_of(seen.event)
    stage, race_class = chosen_stage(request, stages), chosen_class(request, classes)
    topic = stage_topic(str(event.id), str(stage.id)) if stage else event_topic(str(event.id))
    shown = standings(released_board(view(topic, seen.audience))[1], race_class)
    inside = expected_ranks(event, str(stage.id) if stage else None, seen.audience)
    return frame(seen, "leaderboard-of") | {
        "tabs": tabs(stages, stage, race_class),
        "stage": stage,
        "classes": classes,
        "race_class": race_class,
        "standings": with_expected(shown, inside, race_class),
        "topic": topic,
        "expected": topic.replace("leaderboard", Kind.EXPECTED, 1),
        "details": seen.link("details") + (f"?stage={stage.sort_order}" if stage else ""),
        "words": board_words(),
    }


def tabs(stages: Sequence[Stage], chosen: Stage | None, race_class: str) -> list[Tab]:
    """Overall, and each stage."""
    numbers = [("", _("Overall")), *((str(stage.sort_order), stage.name) for stage in stages)]
    current = str(chosen.sort_order) if chosen else ""
    return [Tab(name, _query(number, race_class), number == current) for number, name in numbers]


def _query(stage: str, race_class: str) -> str:
    given = {name: value for name, value in (("stage", stage), ("class", race_class)) if value}
    return f"?{urlencode(given)}"


def _visible(user: AnyUser, events: Any) -> list[Event]:
    return [event for event in events if may_view_event(user, event)]


def _list(request: HttpRequest, events: list[Event]) -> HttpResponse:
    shared = Counter(event.slug for event in events)
    links = [(event, _address(event, alone=shared[event.slug] == 1)) for event in events]
    return render(request, "live/events.html", {"links": links})


def _address(event: Event, *, alone: bool) -> str:
    if alone:
        return reverse("live:leaderboard", args=[event.slug])
    return reverse("live:leaderboard-of", args=[event.organization.slug, event.slug])
