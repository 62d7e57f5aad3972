"""Where an official stands: the event, the stage, and what the policy lets them do there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.admin_policy import person
from apps.accounts.models import User
from apps.accounts.policy import holds, may, require, visible
from apps.course.models import Stage
from apps.desk import queries
from apps.events.models import Event
from apps.racelog.domain.log import Line, StageState, settled, stage_state
from apps.racelog.queries import state_lines

# What an official reads who may come in at all; spectators of a public event may not.
DOOR = "timing_records"

# Path of a page under the event's address, its name, and what it asks: (action, resource or act).
TABS: tuple[tuple[str, Any, str, str], ...] = (
    ("stage", gettext_lazy("Stage"), "view", DOOR),
    ("timing", gettext_lazy("Timing desk"), "record_time", ""),
    ("control", gettext_lazy("Race control"), "view", "race_log"),
    ("safety", gettext_lazy("Safety"), "view", "alerts"),
    ("review", gettext_lazy("Review"), "view", "entry_penalties"),
    ("results", gettext_lazy("Results"), "view", "stage_results"),
    ("starts", gettext_lazy("Start list"), "view", "start_lists"),
    ("positions", gettext_lazy("Positions"), "view", "positions"),
    ("course", gettext_lazy("Course"), "view", "geofences"),
    ("decisions", gettext_lazy("Decisions"), "view", "decisions"),
    ("commands", gettext_lazy("Commands"), "view", "commands"),
)


@dataclass(frozen=True)
class Tab:
    name: str
    title: str
    link: str
    current: bool


@dataclass(frozen=True)
class Place:
    """One request at one event; `stage` is the one asked for, else the one in focus, None where there is none."""

    request: HttpRequest
    event: Event
    stage: Stage | None
    stages: tuple[Stage, ...]

    @property
    def user(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.event.time_zone)

    @cached_property
    def log(self) -> list[Line]:
        """The lines of the race-control log that say what holds in the event."""
        return state_lines(self.event.pk)

    @cached_property
    def control(self) -> StageState:
        """What holds for the stage: who is ready, whether starts are held or it is stopped."""
        return stage_state(self.log, str(self.stage.pk)) if self.stage else StageState()

    @cached_property
    def settled(self) -> frozenset[tuple[str, str]]:
        """(entry, contradiction) of what was settled in the stage."""
        return settled(self.log, str(self.stage.pk)) if self.stage else frozenset()

    @property
    def control_link(self) -> str:
        return self.link("control")

    def the_stage(self) -> Stage:
        """Raises Http404 where the event has none."""
        if self.stage is None:
            raise Http404(_("This event has no stage yet."))
        return self.stage

    def may(self, action: str, target: Any = "") -> bool:
        """Whether the user may do an act, or an action to a kind of rows, in this event."""
        if target:
            return may(self.user, action, target, event=self.event)
        return may(self.user, action, self.event)

    def require(self, action: str, target: Any = "") -> None:
        """Raises PermissionDenied."""
        if target:
            require(self.user, action, target, event=self.event)
        else:
            require(self.user, action, self.event)

    def link(self, page: str, *args: object, **query: str) -> str:
        """The address of a page of this event, at this stage unless `query` names another."""
        return link(page, self.event, *args, **({"stage": str(self.stage.sort_order)} if self.stage else {}) | query)

    def show(self, template: str, context: dict[str, Any], *, title: str, page: str = "") -> HttpResponse:
        """The page, rendered in the event's time zone."""
        around = admin.site.each_context(self.request)
        around |= {"place": self, "event": self.event, "stage": self.stage, "stages": self.stages, "title": title}
        around |= {"tabs": self._tabs(page), "page": page, "zone_name": self.event.time_zone}
        response = TemplateResponse(self.request, f"desk/{template}.html", around | context)
        with timezone.override(self.zone):
            return response.render()

    def _tabs(self, page: str) -> list[Tab]:
        mine = [(name, title) for name, title, action, of in TABS if self.may(action, of)]
        return [Tab(name, str(title), self.link(name), name == page) for name, title in mine]


View = Callable[..., HttpResponse]


def at_event(view: Callable[..., HttpResponse]) -> View:
    """A view of (place, …) as one of (request, event id, …). Raises Http404 for an event that is not the user's."""

    @wraps(view)
    def of_request(request: HttpRequest, event: UUID, **named: Any) -> HttpResponse:
        place = _place(request, event)
        with timezone.override(place.zone):
            return view(place, **named)

    return of_request


def link(page: str, event: Event, *args: object, **query: str) -> str:
    """The address of a page of an event."""
    address = reverse(f"admin:desk_{page}", args=[event.pk, *args])
    return f"{address}?{urlencode(query)}" if query else address


def events_of(request: HttpRequest) -> list[Event]:
    """The events whose desk this user may enter, the latest first."""
    who = person(request)
    if not holds(who, "view", DOOR):
        return []
    rows = visible(who, Event.objects.select_related("organization"), public=False)
    return [event for event in rows if may(who, "view", DOOR, event=event)]


def is_on(event: Event) -> bool:
    """Whether the event is being run: from the evening before to its end."""
    return event.starts_at - timedelta(days=2) <= timezone.now() <= event.ends_at + timedelta(days=1)


def _place(request: HttpRequest, event_id: UUID) -> Place:
    event = Event.objects.select_related("organization").filter(pk=event_id).first()
    who = person(request)
    if event is None or not may(who, "view", "events", event=event):
        raise Http404(_("There is no such event."))
    if not may(who, "view", DOOR, event=event):
        raise PermissionDenied(_("The desk of this event is for its officials."))
    stages = tuple(Stage.objects.filter(event=event))
    return Place(request, event, _stage(request, event, stages), stages)


def _stage(request: HttpRequest, event: Event, stages: tuple[Stage, ...]) -> Stage | None:
    asked = request.GET.get("stage", "")
    found = next((stage for stage in stages if asked in (str(stage.sort_order), str(stage.pk))), None)
    if asked and found is None:
        raise Http404(_("This event has no such stage."))
    if found is not None or not stages:
        return found
    focus = queries.stage_in_focus(str(event.pk))
    return next((stage for stage in stages if str(stage.pk) == focus), stages[0])
