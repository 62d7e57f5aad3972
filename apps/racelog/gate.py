"""Go or no-go: who has to be ready before a stage is opened, and who is not (rulebook 9.3, T-60 and T-15)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.course.models import Segment, SegmentType, Stage
from apps.racelog import services
from apps.racelog.domain.log import Kind, Line, StageState, stage_state
from apps.racelog.models import LogLine, Opening, Service
from apps.racelog.queries import settings_of, state_lines


@dataclass(frozen=True, slots=True)
class Post:
    """A service or a control with its last word, None while it has said nothing."""

    key: str
    name: Any
    word: Line | None

    @property
    def ready(self) -> bool:
        return self.word is not None and self.word.kind is Kind.GO


@dataclass(frozen=True, slots=True)
class Gate:
    """Everybody who reports, those that are needed first; `refuses`: without them the stage is not opened."""

    needed: tuple[Post, ...]
    others: tuple[Post, ...]
    refuses: bool

    @property
    def missing(self) -> list[Post]:
        """Who is needed and has not said go. A no-go counts, of whomever it is."""
        return [post for post in self.needed if not post.ready] + [post for post in self.others if _says_no(post)]

    @property
    def sentence(self) -> str:
        """Why the stage should not be opened; empty where everybody is ready."""
        if not self.missing:
            return ""
        told = ", ".join(f"{post.name}: {_('no-go')}" if _says_no(post) else str(post.name) for post in self.missing)
        return _("Not ready: %(posts)s.") % {"posts": told}


def gate(stage: Stage, state: StageState | None = None) -> Gate:
    """Who is ready for a stage. In two queries, one less with `state`."""
    wanted = settings_of(stage.event)
    state = state or stage_state(state_lines(stage.event_id), str(stage.pk))
    services = [Post(key, label, state.ready.get(key)) for key, label in Service.choices]
    posts = [Post(key, name, state.ready.get(key)) for key, name in controls(stage)]
    needed = [post for post in services if post.key in wanted.services] + (posts if wanted.controls else [])
    others = [post for post in services + posts if post not in needed]
    return Gate(tuple(needed), tuple(others), wanted.opening == Opening.REFUSE)


def refusal(stage: Stage) -> str:
    """Why the stage may not be opened now; empty where it may, also where the event is content with a warning."""
    if settings_of(stage.event).opening != Opening.REFUSE:
        return ""
    return gate(stage).sentence


def names(stage: Stage | None) -> dict[str, str]:
    """Who may report, by key: the services, and the controls of the stage."""
    return {**{key: str(label) for key, label in Service.choices}, **dict(controls(stage) if stage else [])}


def report(user: User, draft: services.Draft) -> LogLine:
    """Write a go or a no-go of whom `draft.about` names. Raises as `services.write`, and for who reports nothing."""
    who = names(draft.stage).get(draft.about)
    if who is None:
        raise ValidationError(_("This stage has nobody of that name to report."))
    return services.write(user, replace(draft, data={"who": who}))


def controls(stage: Stage) -> list[tuple[str, str]]:
    """(id, name) of the starts and finishes of the stage's specials, once each, in the order they are driven."""
    specials = stage.segments.filter(type=SegmentType.SPECIAL_STAGE)
    rows = specials.select_related("entry_geofence", "exit_geofence").prefetch_related("waypoints")
    return list(dict(pair for segment in rows for pair in _ends(segment)).items())


def _ends(segment: Segment) -> Iterator[tuple[str, str]]:
    for fence, kind in ((segment.entry_geofence, "DSS"), (segment.exit_geofence, "ASS")):
        if fence is not None:
            yield str(fence.pk), fence.name
        else:
            for waypoint in segment.waypoints.all():
                if waypoint.type == kind:
                    yield str(waypoint.pk), f"{segment}: {waypoint}"


def _says_no(post: Post) -> bool:
    return post.word is not None and post.word.kind is Kind.NO_GO
