"""Results, decisions and publications over REST, and the acts on events, stages and entries that need scoring."""

from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts import policy
from apps.penalties.models import Decision
from apps.rest import writing
from apps.rest.answers import answer
from apps.rest.problems import conflicts
from apps.rest.serializers import Reason
from apps.rest.views import AddOnlyResource, ReadOnlyResource
from apps.scoring import bodies, race_control_api, revisions, start_lists
from apps.scoring.act_api import Entries, Events, Stages
from apps.scoring.decisions import Draft, decide, revoke
from apps.scoring.dry_run import dry_run
from apps.scoring.models import EventResult, ResultRevision, StageResult
from apps.scoring.revisions import Publication
from apps.scoring.start_lists import Where
from apps.timing.domain.start_order import StartOrderError
from apps.timing.models import StartOverride


class Decisions(AddOnlyResource):
    """Made once, kept through every recompute, never edited: revoked by another act."""

    model = Decision
    order = ("event", "-number")
    search = ("reason", "document", "article")
    expand = ("entry", "stage", "race_class")
    read_only = frozenset({"number", "author", "revoked_at", "revoked_by", "revoked_reason"})
    example = {
        "event": "b6f7c9d2-2f0b-4f53-8d43-6f1f7f0f5a01",
        "kind": "set_status",
        "entry": "1e2d3c4b-5a69-4788-8796-a5b4c3d2e1f0",
        "stage": "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d",
        "params": {"status": "dnf"},
        "reason": "Towed in by the sweep car",
    }
    example_answer = {**example, "number": 12, "race_class": None, "article": ""}

    def make(self, values: dict[str, Any]) -> Decision:
        author = writing.person(self.user)
        wanted = Decision(author=author, **values)
        policy.require(self.user, "add", wanted)
        policy.require(self.user, "decide", wanted)
        writing.refuse_strays(self.user, wanted)
        return decide(Draft(**{"params": {}, **values}), author)

    @extend_schema(responses={200: bodies.Differences})
    @action(detail=False, methods=["post"], url_path="dry_run")
    def dry_run(self, request: Request) -> HttpResponse:
        """What the decision would change, line by line; nothing is written."""
        values = self.checked(request.data)
        policy.require(self.user, "dry_run", values["event"])
        found = dry_run(values["event"], lambda: self.make(values))
        return answer({"results": [asdict(line) for line in found]})

    @extend_schema(request=Reason)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> HttpResponse:
        """Take the decision back; what it lay over shows again."""
        reason = self.given(Reason)["reason"]
        with transaction.atomic():
            row = self.row(pk)
            policy.require(self.user, "decide", row)
            return self.shown(revoke(row, writing.person(self.user), reason))


class StartOverrides(AddOnlyResource):
    """An official moves an entry: one of `position`, `after` and `start_at`. The next list published heeds it."""

    model = StartOverride
    order = ("created_at",)
    expand = ("stage", "entry")
    read_only = frozenset({"author"})

    def make(self, values: dict[str, Any]) -> StartOverride:
        author = writing.person(self.user)
        wanted = StartOverride(author=author, **values)
        policy.require(self.user, "add", wanted)
        writing.refuse_strays(self.user, wanted)
        where = Where(values.get("position"), values.get("after"), values.get("start_at"))
        with conflicts(StartOrderError):
            return start_lists.reposition(values["stage"], values["entry"], where, values["reason"], author)

    @extend_schema(request=Reason)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> HttpResponse:
        """The crew goes back to where the rules put it, once the list is published again."""
        row, reason = self.row(pk), self.given(Reason)["reason"]
        policy.require(self.user, "change", row)
        with conflicts(StartOrderError):
            return self.shown(start_lists.revoke(row, writing.person(self.user), reason))


class StageResults(ReadOnlyResource):
    model = StageResult
    order = ("stage", "rank")
    expand = ("entry", "stage")
    heavy = frozenset({"outcome"})
    example_answer = {"status": "finished", "splits": [5_412_300], "last_control": "ASS 12"}


class EventResults(ReadOnlyResource):
    model = EventResult
    order = ("event", "rank")
    expand = ("entry",)
    example_answer = {"status": "finished", "completed_stages": 2}


class ResultRevisions(AddOnlyResource):
    """Published, frozen classifications. A POST publishes the results as they are now."""

    model = ResultRevision
    order = ("event", "stage", "-number")
    expand = ("stage",)
    heavy = frozenset({"snapshot"})
    read_only = frozenset({"number", "protest_until", "published_by", "snapshot", "hash"})
    example_answer = {"number": 1, "state": "provisional", "protest_until": "2026-06-07T18:30:00Z"}

    @extend_schema(request=bodies.Publish)
    def create(self, request: Request) -> HttpResponse:
        author, given = writing.person(self.user), self.given(bodies.Publish)
        wanted = ResultRevision(event=given["event"], stage=given.get("stage"), published_by=author)
        policy.require(self.user, "add", wanted)
        policy.require(self.user, "publish", wanted)
        writing.refuse_strays(self.user, wanted)
        return self.made(revisions.publish(Publication(**given), author))

    @extend_schema(responses={200: bodies.WouldChange})
    @action(detail=True, methods=["get"])
    def would_change(self, request: Request, pk: str) -> HttpResponse:
        """What an amendment now would change: the published results stand until then."""
        row = self.row(pk)
        policy.require(self.user, "publish", row)
        return answer({"results": [asdict(line) for line in revisions.would_change(row)]})

    @extend_schema(responses={200: bodies.Verified})
    @action(detail=True, methods=["get"])
    def verify(self, request: Request, pk: str) -> HttpResponse:
        """Why the revision cannot be relied on; nothing when it recomputes to the same."""
        row = self.row(pk)
        policy.require(self.user, "publish", row)
        return answer({"problems": revisions.verify(row)})


RESOURCES = {
    "events": Events,
    "stages": Stages,
    "entries": Entries,
    "decisions": Decisions,
    "start_overrides": StartOverrides,
    "stage_results": StageResults,
    "event_results": EventResults,
    "result_revisions": ResultRevisions,
    **race_control_api.RESOURCES,
}
