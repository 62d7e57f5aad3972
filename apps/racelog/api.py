"""The race-control log over REST: its lines, and what a stage needs of it before and while it runs.

What moves starts or times as well is `apps.scoring.race_control_api`.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts import policy
from apps.accounts.models import User
from apps.accounts.rights import AnyUser
from apps.course import api as course
from apps.course.models import Stage
from apps.events.models import Entry, Event
from apps.racelog import gate, services
from apps.racelog.domain.log import Kind
from apps.racelog.models import LogLine, RaceControlSettings
from apps.racelog.queries import control_name
from apps.racelog.services import ACTS, Draft, Spot
from apps.rest import reading, writing
from apps.rest.answers import JSON, encode, etag
from apps.rest.problems import Unfit
from apps.rest.serializers import (
    LONGEST,
    Body,
    Choice,
    Instant,
    Key,
    Number,
    Reference,
    Text,
    Truth,
    Whole,
    serializer_for,
)
from apps.rest.views import AddOnlyResource, ResourceViewSet

LONGEST_MS = 86_400_000
MADE_BY_TRM = frozenset({"author", "about", "data", "takes_back"})
LINE = serializer_for(LogLine, MADE_BY_TRM)


class Happened(Body):
    """When and where it happened."""

    at = Instant(required=False, help_text="When it happened; now where it is left out.")
    control = Key(required=False, allow_null=True, help_text="A geofence or waypoint of the event.")
    place = Text(max_length=200, default="", allow_blank=True, help_text="Where, in words.")
    latitude = Number(min_value=-90, max_value=90, required=False, allow_null=True)
    longitude = Number(min_value=-180, max_value=180, required=False, allow_null=True)


class Told(Happened):
    text = Text(max_length=LONGEST, default="", allow_blank=True)


class Held(Happened):
    reason = Text(max_length=LONGEST, help_text="Why the starts are held.")


class Stopped(Happened):
    reason = Text(max_length=LONGEST, default="", allow_blank=True, help_text="Why the stage is stopped.")


class Ready(Told):
    about = Text(max_length=200, help_text="A service, or the id of a control: `race_control` names them.")
    ready = Truth(help_text="true = go, false = no-go.")


class Heard(Happened):
    text = Text(max_length=LONGEST, help_text="What was decided.")


class Written(Told):
    event = Reference(queryset=Event.objects.all())
    kind = Choice(
        choices=[kind.value for kind in (Kind.NOTE, Kind.INCIDENT, Kind.FALSE_START, Kind.PROTEST)],
        help_text="What else the log has is written by acts: of stages, and of lines.",
    )
    stage = Reference(queryset=Stage.objects.all(), required=False, allow_null=True)
    entry = Reference(queryset=Entry.objects.all(), required=False, allow_null=True, help_text="Whom it is about.")
    what = Text(
        max_length=40, default="", allow_blank=True,
        help_text="Of an incident: a word for it, e.g. accident. One that a penalty formula names reaches the rules.",
    )  # fmt: skip
    gained_ms = Whole(min_value=0, max_value=LONGEST_MS, default=0, help_text="Of a false start: the time gained.")


def draft(event: Event, kind: Kind, given: Mapping[str, Any], **more: Any) -> Draft:
    """A line as a body tells it. Raises Unfit for a control that is not the event's."""
    control, place = given.get("control"), given["place"]
    if control is not None:
        name = control_name(event, control)
        if not name:
            raise Unfit({"control": [_("The event has no such control.")]})
        place = " · ".join(filter(None, (name, place)))
    spot = Spot(control, place, given.get("latitude"), given.get("longitude"))
    text = given.get("text", given.get("reason", ""))
    return Draft(event, kind, at=given.get("at"), text=text, spot=spot, **more)


class RaceLog(AddOnlyResource):
    """What race control was told and did, in order. Lines are added and never changed: another one takes one back."""

    model = LogLine
    order = ("-at",)
    search = ("text", "place")
    expand = ("stage", "entry")
    read_only = MADE_BY_TRM
    example = {
        "event": "b6f7c9d2-2f0b-4f53-8d43-6f1f7f0f5a01",
        "kind": "incident",
        "stage": "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d",
        "entry": "1e2d3c4b-5a69-4788-8796-a5b4c3d2e1f0",
        "what": "breakdown",
        "place": "km 64",
        "text": "Stands beside the track, both crew well",
    }
    example_answer = {name: value for name, value in example.items() if name != "what"} | {"about": "", "control": None}

    @extend_schema(request=Written, responses={201: LINE})
    def create(self, request: Request) -> HttpResponse:
        """Write a line. A false start, and an incident that a penalty formula names, reach the rules as well."""
        given, user = self.given(Written), writing.person(self.user)
        line = draft(given["event"], Kind(given["kind"]), given, stage=given.get("stage"), entry=given.get("entry"))
        services.require_may(user, line)
        with transaction.atomic():
            return self.made(_write(user, line, given))

    @extend_schema(request=Heard, responses={201: LINE})
    @action(detail=True, methods=["post"])
    def hear(self, request: Request, pk: str) -> HttpResponse:
        """A protest was heard, and no longer keeps results from being official."""
        protest = self.row(pk)
        policy.require(self.user, ACTS[Kind.HEARD], protest)
        line = draft(protest.event, Kind.HEARD, self.given(Heard))
        return told(self.user, services.hear(writing.person(self.user), protest, line))


def told(user: AnyUser, line: LogLine) -> HttpResponse:
    """The line that an act has written."""
    body = encode(reading.as_dict(line, policy.fields(user, line)))
    headers = {"ETag": etag(body), "Location": f"/api/v1/race_log/{line.pk}"}
    return HttpResponse(body, status=201, content_type=JSON, headers=headers)


def _write(user: User, line: Draft, given: Mapping[str, Any]) -> LogLine:
    if line.kind is Kind.INCIDENT:
        return services.incident(user, line, given["what"])
    if line.kind is Kind.FALSE_START:
        return services.report_false_start(user, line, given["gained_ms"])
    return services.write(user, line)


class Stages(course.Stages):
    """Acts of race control on a stage. Each is a line of the log, which is the answer."""

    @extend_schema(request=Ready, responses={201: LINE})
    @action(detail=True, methods=["post"])
    def report(self, request: Request, pk: str) -> HttpResponse:
        """Go or no-go of a service or a control, before the stage is opened."""
        stage = self.under_control(pk, Kind.GO)
        given = self.given(Ready)
        kind = Kind.GO if given["ready"] else Kind.NO_GO
        line = draft(stage.event, kind, given, stage=stage, about=given["about"])
        return told(self.user, gate.report(writing.person(self.user), line))

    @extend_schema(request=Held, responses={201: LINE})
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: str) -> HttpResponse:
        """Hold the starts: nobody starts before they are released."""
        return self._write(pk, Kind.HOLD, Held)

    @extend_schema(request=Stopped, responses={201: LINE})
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> HttpResponse:
        """Show the red signal: the stage is stopped until it is restarted."""
        return self._write(pk, Kind.RED, Stopped)

    def under_control(self, pk: str, kind: Kind) -> Stage:
        """The stage, on which the user may write such a line."""
        stage: Stage = self.row(pk)
        policy.require(self.user, ACTS[kind], stage)
        return stage

    def _write(self, pk: str, kind: Kind, body: type[Body]) -> HttpResponse:
        stage = self.under_control(pk, kind)
        line = draft(stage.event, kind, self.given(body), stage=stage)
        return told(self.user, services.write(writing.person(self.user), line))


class Settings(ResourceViewSet):
    """Who has to be ready before a stage of the event is opened. An event without a row has the usual settings."""

    model = RaceControlSettings
    order = ("event",)


RESOURCES = {"race_log": RaceLog, "race_control_settings": Settings, "stages": Stages}
