"""Acts on events, stages and entries that need results, and their leaderboards."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts import policy
from apps.accounts.rights import AnyUser
from apps.audit import api as audit
from apps.common import stream
from apps.course.models import Stage
from apps.events import api as events
from apps.events.audience import audience_of
from apps.events.models import Event
from apps.penalties.checklist import open_settings
from apps.penalties.models import Decision
from apps.rest import reading, writing
from apps.rest.answers import answer
from apps.rest.problems import Unfit, conflicts
from apps.rest.serializers import serializer_for
from apps.scoring import bodies, closing, race_control_api, start_lists
from apps.scoring.changes import ChangeError, apply
from apps.scoring.decisions import Draft, decide
from apps.scoring.dry_run import dry_run
from apps.scoring.models import EventResult
from apps.scoring.released import released_board, view
from apps.timing.domain.start_order import StartOrderError
from apps.timing.models import StartList


class Events(events.Events):
    public = frozenset({"leaderboard"})

    @extend_schema(request=bodies.Rescore, responses={202: bodies.Accepted})
    @action(detail=True, methods=["post"])
    def rescore(self, request: Request, pk: str) -> HttpResponse:
        """Ask the scorer to score anew what has been driven: all, an entry, a stage."""
        event = self.row(pk)
        policy.require(self.user, "rescore", event)
        given = self.given(bodies.Rescore)
        if wrong := {
            name: [_("It belongs to another event.")] for name, row in given.items() if row.event_id != event.pk
        }:
            raise Unfit(wrong)
        names = {f"{name}_id": str(row.pk) for name, row in given.items()}
        stream.request(stream.connect(settings.REDIS_URL), "replay", event_id=str(event.pk), **names)
        return answer({"accepted": True}, 202)

    @extend_schema(request=bodies.Changes, responses={200: bodies.Differences})
    @action(detail=True, methods=["post"])
    def dry_run(self, request: Request, pk: str) -> HttpResponse:
        """What a change of course, rules or decisions would do to the results; nothing is written."""
        event, author = self.row(pk), writing.person(self.user)
        policy.require(self.user, "dry_run", event)
        change = self.given(bodies.Changes)["change"]
        with conflicts(ChangeError):
            found = dry_run(event, lambda: apply(event, change, author))
        return answer({"results": [asdict(line) for line in found]})

    @extend_schema(responses={200: bodies.OpenSettings})
    @action(detail=True, methods=["get"])
    def open_settings(self, request: Request, pk: str) -> HttpResponse:
        """What of the rules is still open; what is blocking forbids opening stages and publishing."""
        event = self.row(pk)
        policy.require(self.user, "view", "rule_answers", event=event)
        names = ("key", "number", "sentence", "blocking")
        found = [{name: getattr(one, name) for name in names} for one in open_settings(event)]
        return answer({"results": found})

    @extend_schema(responses={200: bodies.Leaderboard})
    @action(detail=True, methods=["get"])
    def leaderboard(self, request: Request, pk: str) -> HttpResponse:
        """The classification, as late as this audience may see it."""
        event = self.row(pk)
        return board(self.user, event, f"leaderboard:{event.pk}")


class Stages(race_control_api.Stages):
    public = frozenset({"leaderboard"})

    @extend_schema(request=None, responses={200: serializer_for(StartList)})
    @action(detail=True, methods=["post"])
    def open(self, request: Request, pk: str) -> HttpResponse:
        """Publish the first start list and write the assigned starts; an open stage keeps the list in force."""
        stage = self.row(pk)
        policy.require(self.user, "open_stage", stage)
        with conflicts(StartOrderError):
            return answer(self._list(start_lists.open_stage(stage, writing.person(self.user))))

    @extend_schema(request=bodies.Seed, responses={200: bodies.Seeded})
    @action(detail=True, methods=["post"])
    def seed(self, request: Request, pk: str) -> HttpResponse:
        """Make the start list anew from what holds now, and publish it if anything changed."""
        stage = self.row(pk)
        policy.require(self.user, "seed", stage)
        given = self.given(bodies.Seed)
        with conflicts(StartOrderError):
            done = start_lists.republish(
                stage, writing.person(self.user), given["reason"], reset_by_hand=given["reset_by_hand"]
            )
        return answer({"list": self._list(done.list), "moves": [asdict(move) for move in done.moves]})

    @extend_schema(responses={200: bodies.Proposal})
    @action(detail=True, methods=["get"])
    def proposal(self, request: Request, pk: str) -> HttpResponse:
        """The start list as it would be published now; nothing is written."""
        stage = self.row(pk)
        policy.require(self.user, "seed", stage)
        with conflicts(StartOrderError):
            return answer({"results": [asdict(row) for row in start_lists.propose(stage)]})

    @extend_schema(request=bodies.ClosingTerms, responses={200: bodies.Closings})
    @action(detail=True, methods=["post"])
    def closing_times(self, request: Request, pk: str) -> HttpResponse:
        """Compute when controls close: the last start, the way there at the slowest speed, and a margin."""
        stage = self.row(pk)
        policy.require(self.user, "closing_times", stage)
        given = self.given(bodies.ClosingTerms)
        terms = closing.Terms(given["slowest_kmh"], given["margin_seconds"], given["types"])
        made = closing.closing_times if given["dry_run"] else closing.set_closing_times
        rows = [{"waypoint": c.waypoint.pk, "metres": c.metres, "closes_at": c.closes_at} for c in made(stage, terms)]
        return answer({"results": rows})

    @extend_schema(responses={200: bodies.Leaderboard})
    @action(detail=True, methods=["get"])
    def leaderboard(self, request: Request, pk: str) -> HttpResponse:
        """The classification of the stage, as late as this audience may see it."""
        stage: Stage = self.row(pk)
        return board(self.user, stage.event, f"leaderboard:{stage.event_id}:{stage.pk}")

    def _list(self, made: StartList) -> dict[str, Any]:
        return reading.as_dict(made, policy.fields(self.user, made))


class Entries(audit.Entries):
    @extend_schema(request=bodies.Faulty, responses={201: serializer_for(Decision)})
    @action(detail=True, methods=["post"])
    def flag_faulty(self, request: Request, pk: str) -> HttpResponse:
        """Take the fixes of one of the entry's trackers in a window out of all use, by a decision."""
        with transaction.atomic():
            entry = self.row(pk)
            policy.require(self.user, "flag_faulty", entry)
            given = self.given(bodies.Faulty)
            if not entry.device_links.filter(device__imei=given["device"]).exists():
                raise Unfit({"device": [_("The entry carries no such tracker.")]})
            window = {name: given[name] for name in ("device", "from_ts", "to_ts")}
            author = writing.person(self.user)
            made = decide(Draft(entry.event, "faulty_fixes", window, given["reason"], entry=entry), author)
            return answer(reading.as_dict(made, policy.fields(self.user, made)), 201)


def board(user: AnyUser, event: Event, topic: str) -> HttpResponse:
    policy.require(user, "view", EventResult, event=event)
    seq, lines = released_board(view(topic, audience_of(user, event)))
    return answer({"seq": seq, "results": lines})
