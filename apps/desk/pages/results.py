"""Results with the state of their revisions, and publishing: first what will happen, then the act (rulebook 9.2)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.audit import because
from apps.course.models import Stage
from apps.desk import queries, review
from apps.desk.place import Place
from apps.penalties.checklist import blocking_settings
from apps.penalties.models import Decision
from apps.racelog.domain.log import Kind
from apps.racelog.queries import protests, waiting_protests
from apps.scoring.board import event_topic, stage_topic
from apps.scoring.models import ResultRevision, RevisionState
from apps.scoring.queries import board
from apps.scoring.revisions import NEXT, PROTEST_MINUTES, Publication, latest, publish

MOST_TOLD = 50
ORDER = ("unofficial", "provisional", "amended", "official")
MEANS: dict[str, Any] = {
    "unofficial": gettext_lazy("Times without promise, for the notice board and the crews."),
    "provisional": gettext_lazy("Posted with its penalties: from now the protest clock runs."),
    "amended": gettext_lazy("Replaces what is published, with the reason; the protest clock starts again."),
    "official": gettext_lazy("Final. Only an amendment can change it."),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at: a stage, or the event as a whole (stage None)."""

    stage: Stage | None

    @property
    def query(self) -> str:
        return "" if self.stage else "overall"

    @property
    def to_all(self) -> str:
        """Where on an entry's page it is told what its total in the event is made of."""
        return "" if self.stage else "#overall"


def show(place: Place) -> HttpResponse:
    """`?of=overall` is the event's classification, the stage's otherwise; `?publish=<state>` asks before it acts."""
    place.require("view", "stage_results")
    scope = Scope(None if place.request.GET.get("of") == "overall" else place.stage)
    state = place.request.GET.get("publish", "")
    if place.request.method == "POST":
        place.require("publish")
        return _publish(place, scope)
    if state in RevisionState.values and place.may("publish"):
        return _ask(place, scope, state, "")
    return _page(place, scope)


def _page(place: Place, scope: Scope) -> HttpResponse:
    last = latest(place.event, scope.stage)
    heard = bool(last and (last.protest_until is None or last.protest_until <= timezone.now()))
    topic = _topic(place, scope)
    _seq, lines = board(topic)
    rows = ResultRevision.objects.filter(event=place.event, stage=scope.stage).defer("snapshot")
    context = {
        "scope": scope,
        "to_all": scope.to_all,
        "lines": lines,
        "last": last,
        "revisions": rows.select_related("published_by"),
        "steps": _steps(place, last, heard),
        "moved": queries.moved(str(place.event.pk), _id(scope)) if last else [],
        "protests": last.protest_until if last and last.protest_until else None,
        "protest_open": not heard,
        "unheard": waiting_protests(place.event, scope.stage, place.log),
    }
    return place.show("results", context, title=_("Results"), page="results")


def _steps(place: Place, last: ResultRevision | None, heard: bool) -> list[tuple[str, Any, Any, bool]]:
    """What may be published next: (state, its name, what it means, whether it is what usually comes now).

    `heard`: the time for protests is over.
    """
    if not place.may("publish"):
        return []
    allowed = NEXT[last.state if last else ""]
    usual = next((state for state in ORDER if state in allowed), "") if last is None else "official" if heard else ""
    usual = "provisional" if last and last.state == "unofficial" else usual
    return [(state, RevisionState(state).label, MEANS[state], state == usual) for state in ORDER if state in allowed]


def _ask(place: Place, scope: Scope, state: str, error: str) -> HttpResponse:
    """The page that names what will happen."""
    last = latest(place.event, scope.stage)
    context = {
        "scope": scope,
        "to_all": scope.to_all,
        "state": state,
        "label": RevisionState(state).label,
        "means": MEANS[state],
        "number": last.number + 1 if last else 1,
        "last": last,
        "moved": queries.moved(str(place.event.pk), _id(scope)) if last else [],
        "blocking": blocking_settings(place.event),
        "open_cases": len(review.cases(scope.stage, place.settled)) if scope.stage else 0,
        **_enquiries(place, scope, last),
        "official": state == "official",
        "clock": state in ("provisional", "amended"),
        "minutes": PROTEST_MINUTES,
        "until": timezone.now() + timedelta(minutes=PROTEST_MINUTES),
        "error": error,
        "reason": place.request.POST.get("reason", ""),
    }
    return place.show("publish", context, title=_("Publish"), page="results")


def _enquiries(place: Place, scope: Scope, last: ResultRevision | None) -> dict[str, Any]:
    """Protests to be heard and heard, until when more are, and what was decided since the last revision."""
    lodged = protests(place.event, scope.stage)
    answers = {row.about: row for row in lodged if row.kind == Kind.HEARD.value}
    decided = Decision.objects.filter(event=place.event).select_related("entry").order_by("number")
    decided = decided.filter(stage=scope.stage) if scope.stage else decided
    since = last.created_at if last else None
    return {
        "protests": [(row, answers.get(str(row.pk))) for row in lodged if row.kind == Kind.PROTEST.value],
        "waiting": sum(row.kind == Kind.PROTEST.value and str(row.pk) not in answers for row in lodged),
        "deadline": last.protest_until if last else None,
        "deadline_open": bool(last and last.protest_until and last.protest_until > timezone.now()),
        "decided": list((decided.filter(created_at__gt=since) if since else decided)[:MOST_TOLD]),
    }


def _publish(place: Place, scope: Scope) -> HttpResponse:
    data = place.request.POST
    state = data.get("state", "")
    if state not in RevisionState.values:
        return redirect(place.link("results"))
    reason, minutes = data.get("reason", "").strip(), data.get("minutes", "")
    publication = Publication(
        place.event, state, scope.stage, reason, int(minutes) if minutes.isdecimal() else PROTEST_MINUTES
    )
    try:
        with because(reason):
            done = publish(publication, place.user)
    except ValidationError as error:
        return _ask(place, scope, state, " ".join(error.messages))
    words = {"what": scope.stage or place.event, "state": done.get_state_display(), "number": done.number}
    messages.success(place.request, _("%(what)s is published: %(state)s, revision %(number)d.") % words)
    return redirect(place.link("results", **({"of": "overall"} if scope.stage is None else {})))


def _topic(place: Place, scope: Scope) -> str:
    event = str(place.event.pk)
    return stage_topic(event, str(scope.stage.pk)) if scope.stage else event_topic(event)


def _id(scope: Scope) -> str | None:
    return str(scope.stage.pk) if scope.stage else None
