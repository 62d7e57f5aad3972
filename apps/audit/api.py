"""The audit log over REST: read, an entry's timeline, and changes taken back."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts import policy
from apps.audit.models import AuditEntry
from apps.audit.services import RevertError, revert, revert_together, timeline
from apps.events import api as events
from apps.rest import reading
from apps.rest.answers import answer
from apps.rest.problems import conflicts
from apps.rest.serializers import Reason, serializer_for
from apps.rest.views import ReadOnlyResource

LONGEST = 1000  # lines of a timeline: what came last


class Timeline(serializers.Serializer[Any]):
    results = serializer_for(AuditEntry)(many=True)


class AuditLog(ReadOnlyResource):
    model = AuditEntry
    order = ("-id",)
    search = ("who", "reason")

    @extend_schema(request=Reason, responses={204: None})
    @action(detail=True, methods=["post"])
    def revert(self, request: Request, pk: str) -> HttpResponse:
        """Take the change back by a new change; 409 where the row is no longer as the change left it."""
        line = self.row(pk)
        policy.require(self.user, "revert", line)
        with conflicts(RevertError):
            revert(line, self.user, self.given(Reason)["reason"])
        return HttpResponse(status=204)

    @extend_schema(request=Reason, responses={204: None})
    @action(detail=True, methods=["post"])
    def revert_together(self, request: Request, pk: str) -> HttpResponse:
        """Take back all that was done in one act with the change, e.g. an import: all of it or, with 409, nothing."""
        line = self.row(pk)
        policy.require(self.user, "revert", line)
        with conflicts(RevertError):
            revert_together(line, self.user, self.given(Reason)["reason"])
        return HttpResponse(status=204)


class Entries(events.Entries):
    @extend_schema(responses={200: Timeline})
    @action(detail=True, methods=["get"])
    def timeline(self, request: Request, pk: str) -> HttpResponse:
        """All that was done to the entry and what belongs to it: who, when, why, by which door; newest first."""
        entry = self.row(pk)
        policy.require(self.user, "view", AuditEntry, event=entry.event)
        lines = timeline(entry.pk, self.user).order_by("-id")[:LONGEST]
        readable = policy.fields(self.user, AuditEntry, event=entry.event)
        names = reading.columns(AuditEntry, readable)
        return answer({"results": [dict(zip(names, row, strict=True)) for row in lines.values_list(*names)]})


RESOURCES = {"audit_log": AuditLog, "entries": Entries}
