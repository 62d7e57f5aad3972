"""Acts of race control that reach starts and times, over REST (`apps.scoring.race_control`)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts import policy
from apps.course.models import Stage
from apps.racelog import api as racelog
from apps.racelog import services
from apps.racelog.domain.log import Kind, open_protests, stage_state
from apps.racelog.gate import Gate, Post, gate
from apps.racelog.models import LogLine
from apps.racelog.queries import state_lines
from apps.rest import writing
from apps.rest.answers import answer
from apps.rest.problems import Unfit, conflicts
from apps.rest.serializers import Reason
from apps.scoring import bodies, interruptions, race_control
from apps.scoring.inputs import milliseconds
from apps.scoring.postponing import waiting
from apps.timing.domain.start_order import StartOrderError


class Stages(racelog.Stages):
    @extend_schema(responses={200: bodies.UnderControl})
    @action(detail=True, methods=["get"])
    def race_control(self, request: Request, pk: str) -> HttpResponse:
        """What holds of the stage: who is ready, what holds its starts, who waits, which protests nobody has heard."""
        stage: Stage = self.row(pk)
        policy.require(self.user, "view", LogLine, event=stage.event)
        lines = state_lines(stage.event_id)
        state = stage_state(lines, str(stage.pk))
        protests = [one.id for one in open_protests(lines) if one.stage in ("", str(stage.pk))]
        held = {"hold": state.hold and state.hold.id, "red": state.red and state.red.id, "since_ms": state.since}
        rows = [] if state.since is None else waiting(stage, state.since)
        waits = [{"entry": row.entry, "number": row.number, "start_ms": row.start_ms} for row in rows]
        return answer(held | _gate(gate(stage, state)) | {"waiting": waits, "protests": protests})

    @extend_schema(request=bodies.Released, responses={201: racelog.LINE})
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> HttpResponse:
        """The held starts go on: who waits starts later, in the same order with the same intervals."""
        return self._go_on(pk, Kind.RELEASE, bodies.Released)

    @extend_schema(request=bodies.Restarted, responses={201: racelog.LINE})
    @action(detail=True, methods=["post"])
    def restart(self, request: Request, pk: str) -> HttpResponse:
        """The stage goes on after the red signal; whom it met gets a notional time by `race_log/…/notional_times`."""
        return self._go_on(pk, Kind.GREEN, bodies.Restarted)

    def _go_on(self, pk: str, kind: Kind, body: type[bodies.Restarted]) -> HttpResponse:
        stage = self.under_control(pk, kind)
        given = self.given(body)
        first = given["first_start"] and milliseconds(given["first_start"])
        line = racelog.draft(stage.event, kind, given, stage=stage)
        with conflicts(StartOrderError):
            done, _moved = race_control.release(writing.person(self.user), line, first)
        return racelog.told(self.user, done)


class RaceLog(racelog.RaceLog):
    @extend_schema(request=Reason, responses={201: racelog.LINE})
    @action(detail=True, methods=["post"])
    def take_back(self, request: Request, pk: str) -> HttpResponse:
        """Take the line back with what it did, by another line: starts it moved, times and incidents it reported."""
        line = self.row(pk)
        services.require_act(writing.person(self.user), line)
        with conflicts(StartOrderError):
            done = race_control.take_back(writing.person(self.user), line, self.given(Reason)["reason"])
        return racelog.told(self.user, done)

    @extend_schema(request=bodies.NotionalTimes, responses={201: racelog.LINE})
    @action(detail=True, methods=["post"])
    def notional_times(self, request: Request, pk: str) -> HttpResponse:
        """Award times to whom a red signal met (rulebook 8.3): a decision each, and one line that names them."""
        red = self.row(pk)
        policy.require(self.user, services.ACTS[Kind.NOTIONAL], red)
        given = self.given(bodies.NotionalTimes)
        _refuse_others(red, given)
        awards = [interruptions.Award(one["entry"], one["time_ms"], one["article"]) for one in given["awards"]]
        made = interruptions.award(writing.person(self.user), red, given["segment"], awards, given["reason"])
        return racelog.told(self.user, made)


def _refuse_others(red: LogLine, given: Mapping[str, Any]) -> None:
    """Raises Unfit for a line that is no red signal, a special it did not stop, an entry of another event."""
    if red.kind != Kind.RED.value:
        raise Unfit({"": [_("This line is no red signal.")]})
    if given["segment"].stage_id != red.stage_id:
        raise Unfit({"segment": [_("It is not of the stage that was stopped.")]})
    for number, one in enumerate(given["awards"]):
        if one["entry"].event_id != red.event_id:
            raise Unfit({f"awards.{number}.entry": [_("It belongs to another event.")]})


def _gate(found: Gate) -> dict[str, Any]:
    posts = [*(_post(post, True) for post in found.needed), *(_post(post, False) for post in found.others)]
    return {"posts": posts, "missing": found.sentence, "refuses": found.refuses}


def _post(post: Post, needed: bool) -> dict[str, Any]:
    said = post.word and {"kind": post.word.kind.value, "line": post.word.id}
    return {"about": post.key, "name": str(post.name), "needed": needed, "said": said}


RESOURCES = {"race_log": RaceLog}
