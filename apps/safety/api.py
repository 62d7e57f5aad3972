"""Alerts and who looks after them, crews accounted for, and stages closed, over REST."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts import policy
from apps.accounts.models import User
from apps.rest import reading, writing
from apps.rest.answers import answer
from apps.rest.serializers import Body, Nested, Reason, Reference, Text, serializer_for
from apps.rest.views import AddOnlyResource, ReadOnlyResource, ResourceViewSet
from apps.safety import closing, services
from apps.safety.models import Accounting, Alert, AlertLine, SafetySettings, StageClosing
from apps.scoring import act_api


class Remark(Body):
    note = Text(max_length=500, default="", allow_blank=True)


class AlertNote(Body):
    text = Text(max_length=500)


class HandedOver(Remark):
    to = Reference(queryset=User.objects.all(), help_text="The official who looks after it from now on.")


class Alerts(ReadOnlyResource):
    """Crews that may need help, the worst first. The watch raises them; `expand=lines` gives the log of each."""

    model = Alert
    order = ("-severity", "raised_at")
    expand = ("entry", "stage")
    nested = (Nested("lines", AlertLine, "alert"),)

    @extend_schema(request=Remark, responses={200: serializer_for(Alert)})
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> HttpResponse:
        """You have seen it and look after it; who was first stays."""
        return self._act(services.acknowledge, pk, Remark)

    @extend_schema(request=Remark, responses={200: serializer_for(Alert)})
    @action(detail=True, methods=["post"])
    def escalate(self, request: Request, pk: str) -> HttpResponse:
        """Rescue is called, or the next one up."""
        return self._act(services.escalate, pk, Remark)

    @extend_schema(request=HandedOver, responses={200: serializer_for(Alert)})
    @action(detail=True, methods=["post"])
    def hand_over(self, request: Request, pk: str) -> HttpResponse:
        """Another official looks after it."""
        return self._act(services.hand_over, pk, HandedOver)

    @extend_schema(request=AlertNote, responses={200: serializer_for(Alert)})
    @action(detail=True, methods=["post"])
    def note(self, request: Request, pk: str) -> HttpResponse:
        """A line in its log."""
        return self._act(services.note, pk, AlertNote)

    @extend_schema(request=Reason, responses={200: serializer_for(Alert)})
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> HttpResponse:
        """It is over; the reason says how it ended, and is kept with it."""
        return self._act(services.close, pk, Reason)

    @extend_schema(request=Reason, responses={200: serializer_for(Alert)})
    @action(detail=True, methods=["post"])
    def put_back(self, request: Request, pk: str) -> HttpResponse:
        """Nobody looks after it after all: it waits for an official again."""
        return self._act(services.put_back, pk, Reason)

    @extend_schema(request=Reason, responses={200: serializer_for(Alert)})
    @action(detail=True, methods=["post"])
    def stand_down(self, request: Request, pk: str) -> HttpResponse:
        """The rescue is not needed after all."""
        return self._act(services.stand_down, pk, Reason)

    @extend_schema(request=Reason, responses={200: serializer_for(Alert)})
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> HttpResponse:
        """It was closed in error; you look after it."""
        return self._act(services.reopen, pk, Reason)

    def _act(self, act: Callable[..., Alert], pk: str, body: type[Body]) -> HttpResponse:
        row = self.row(pk)
        policy.require(self.user, "change", row)
        done = act(writing.person(self.user), row, **self.given(body))
        return HttpResponse(self.body(done), content_type="application/json")


class AlertLines(ReadOnlyResource):
    """What was done about alerts, in order."""

    model = AlertLine
    order = ("created_at",)
    expand = ("alert",)


class SafetyRules(ResourceViewSet):
    """When an event raises alerts. An event without a row has the usual settings."""

    model = SafetySettings
    order = ("event",)


class Accountings(AddOnlyResource):
    """What became of an entry that a stage cannot tell: an official says so. The first word stands until it
    is withdrawn."""

    model = Accounting
    order = ("created_at",)
    expand = ("stage", "entry")
    read_only = frozenset({"author", "withdrawn_at", "withdrawn_by", "withdrawn_reason"})

    def make(self, values: dict[str, Any]) -> Accounting:
        author = writing.person(self.user)
        wanted = Accounting(author=author, **values)
        policy.require(self.user, "add", wanted)
        writing.refuse_strays(self.user, wanted)
        return closing.account_for(author, values["stage"], values["entry"], values["reason"])

    @extend_schema(request=Reason, responses={200: serializer_for(Accounting)})
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> HttpResponse:
        """It was said in error: the crew is looked for again."""
        row = self.row(pk)
        policy.require(self.user, "add", row)
        done = closing.withdraw_accounting(writing.person(self.user), row, self.given(Reason)["reason"])
        return HttpResponse(self.body(done), content_type="application/json")


class StageClosings(ReadOnlyResource):
    """Stages that are closed, and were. A stage's acts `close` and `reopen` make them."""

    model = StageClosing
    order = ("-created_at",)
    expand = ("stage",)


class Stages(act_api.Stages):
    @extend_schema(request=Remark, responses={200: serializer_for(StageClosing)})
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> HttpResponse:
        """Nobody is left on it; 422 names the crews that are, and the alerts that are open."""
        stage = self.row(pk)
        policy.require(self.user, "close_stage", stage)
        made = closing.close_stage(writing.person(self.user), stage, self.given(Remark)["note"])
        return answer(reading.as_dict(made, policy.fields(self.user, made)))

    @extend_schema(request=Reason, responses={204: None})
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> HttpResponse:
        """Somebody is on it after all."""
        stage = self.row(pk)
        policy.require(self.user, "close_stage", stage)
        closing.reopen_stage(writing.person(self.user), stage, self.given(Reason)["reason"])
        return HttpResponse(status=204)


RESOURCES = {
    "alerts": Alerts,
    "alert_lines": AlertLines,
    "safety_settings": SafetyRules,
    "entry_accountings": Accountings,
    "stage_closings": StageClosings,
    "stages": Stages,
}
