"""What every page about one event begins with: the event, who looks at it, and the way to its other pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.policy import may_view_event
from apps.accounts.rights import AnyUser
from apps.course.models import Stage
from apps.events.audience import Audience, audience_of
from apps.events.models import Event, RaceClass


@dataclass(frozen=True, slots=True)
class Visit:
    """One event as one visitor may see it."""

    event: Event
    audience: Audience

    @property
    def address(self) -> tuple[str, str]:
        """What leads to the event's pages: the slugs of its organization and its own."""
        return self.event.organization.slug, self.event.slug

    def link(self, name: str) -> str:
        return reverse(f"live:{name}", args=self.address)


def visit(user: AnyUser, organization: str, slug: str) -> Visit:
    """Raises Http404 where there is no such event, or none this visitor may see: its name is not told."""
    events = Event.objects.select_related("organization")
    event = events.filter(slug=slug, organization__slug=organization).first()
    if event is None or not may_view_event(user, event):
        raise Http404
    return Visit(event, audience_of(user, event))


def stages_of(event: Event) -> list[Stage]:
    return list(Stage.objects.filter(event=event))


def classes_of(event: Event) -> list[RaceClass]:
    return list(RaceClass.objects.filter(event=event, entries__competing=True).distinct())


def chosen_stage(request: HttpRequest, stages: Sequence[Stage]) -> Stage | None:
    """`?stage=` by its number or id; None without one. Raises Http404 for one the event has not."""
    number = request.GET.get("stage", "")
    if not number:
        return None
    for stage in stages:
        if number in (str(stage.sort_order), str(stage.id)):
            return stage
    raise Http404


def chosen_class(request: HttpRequest, classes: Sequence[RaceClass]) -> str:
    """`?class=` by its code; "" without one. Raises Http404 for one the event has not."""
    code = request.GET.get("class", "")
    if code and all(code != race_class.code for race_class in classes):
        raise Http404
    return code


@dataclass(frozen=True, slots=True)
class Way:
    """A link from one page of an event to another."""

    name: str
    title: str
    address: str
    current: bool


def ways(seen: Visit, current: str) -> list[Way]:
    """The pages of the event this visitor may open."""
    pages = [("leaderboard-of", _("Leaderboard")), ("map", _("Map")), ("replay", _("Replay"))]
    if seen.audience.official:
        pages += [("control", _("Race control")), ("screen", _("Big screen"))]
    return [Way(name, title, seen.link(name), name == current) for name, title in pages]


def frame(seen: Visit, current: str) -> dict[str, Any]:
    """What the masthead of every page shows."""
    return {"event": seen.event, "ways": ways(seen, current), "seen": seen}
