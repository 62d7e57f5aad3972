"""Events, classes, entries, crews and assignments over REST."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from apps.accounts import policy
from apps.accounts.comments import comment
from apps.accounts.models import Comment
from apps.common import sheets
from apps.events import entry_import, services
from apps.events.entry_columns import names
from apps.events.models import Entry, EntryCrew, EntryDevice, Event, RaceClass
from apps.rest import reading, writing
from apps.rest.answers import answer
from apps.rest.serializers import Body, Nested, Reference, Text, serializer_for
from apps.rest.views import ResourceViewSet


class CrewSource(Body):
    source = Reference(queryset=Entry.objects.select_related("event"), help_text="Whose crew is taken over.")  # type: ignore[assignment]


class Noted(Body):
    text = Text(max_length=2000)


class CrewCopied(serializers.Serializer[Any]):
    added = serializers.ListField(child=serializers.UUIDField())


class Events(ResourceViewSet):
    model = Event
    order = ("-starts_at",)
    search = ("name", "slug")
    expand = ("organization",)
    nested = (Nested("classes", RaceClass, "event"),)
    example_change = {"is_public": True, "public_delay_seconds": 60}
    example_answer = {"name": "Rally Albania 2026", "ends_at": "2026-06-13T18:00:00Z", "gap_limit_seconds": 20}
    example = {
        "organization": "3e0d4a6e-6c51-4d8e-9a1f-0d5c8b7e2f10",
        "name": "Rally Albania 2026",
        "slug": "rally-albania-2026",
        "discipline": "rally",
        "starts_at": "2026-06-06T08:00:00Z",
        "ends_at": "2026-06-13T18:00:00Z",
        "time_zone": "Europe/Tirane",
        "classes": [{"code": "C-2", "name": "Cars C-2", "sort_order": 140}],
    }

    @extend_schema(
        parameters=[OpenApiParameter("format", str, enum=list(sheets.WRITERS), description="Usually csv.")],
        responses={(200, type_): OpenApiTypes.BINARY for _write, type_ in sheets.WRITERS.values()},
    )
    @action(detail=True, methods=["get"])
    def export(self, request: Request, pk: str) -> HttpResponse:
        """The event's entries as a file that the import takes."""
        event = self.row(pk)
        policy.require(self.user, "export", event)
        form = request.query_params.get("format", "csv")
        if form not in sheets.WRITERS:
            raise ValidationError({"format": [_("One of %(names)s.") % {"names": ", ".join(sheets.WRITERS)}]})
        write, content_type = sheets.WRITERS[form]
        head = list(names())
        rows = [[cells.get(name, "") for name in head] for cells in entry_import.exported(event)]
        return HttpResponse(write(head, rows), content_type=content_type)


class Classes(ResourceViewSet):
    model = RaceClass
    order = ("sort_order", "code")
    search = ("code", "name", "group")
    example_change = {"name": "Cars C-2", "sort_order": 140}


class Entries(ResourceViewSet):
    model = Entry
    order = ("race_number",)
    search = ("team", "race_number", "crew__last_name", "crew__first_name")
    expand = ("race_class", "vehicle", "event")
    nested = (Nested("crew", EntryCrew, "entry"), Nested("devices", EntryDevice, "entry"))
    example_change = {"status": "accepted", "team": "Team Drini"}
    example_answer = {"status": "accepted", "team": "Team Drini"}
    example = {
        "event": "b6f7c9d2-2f0b-4f53-8d43-6f1f7f0f5a01",
        "race_class": "0f1a2b3c-4d5e-4f60-8a71-92b3c4d5e6f7",
        "vehicle": "7d9f3b1e-8c2a-4e6d-9b5f-1a2b3c4d5e6f",
        "race_number": 301,
        "crew": [{"user": "5a1c7e3b-9d2f-4b8a-8c6e-0f1d2e3c4b5a", "role": "pilot"}],
        "devices": [{"device": "c4d5e6f7-a8b9-4c0d-9e1f-2a3b4c5d6e7f", "assigned_from": "2026-06-05T00:00:00Z"}],
    }

    @extend_schema(request=CrewSource, responses={200: CrewCopied})
    @action(detail=True, methods=["post"])
    def copy_crew(self, request: Request, pk: str) -> HttpResponse:
        """Take over the crew of another entry, e.g. of last year's; who is in it already stays."""
        source = self.given(CrewSource)["source"]
        with transaction.atomic():
            entry = self.row(pk, lock=True)
            policy.require(self.user, "copy_crew", entry)
            policy.require(self.user, "view", source)
            return answer({"added": [link.user_id for link in services.copy_crew(entry, source)]})

    @extend_schema(request=Noted, responses={201: serializer_for(Comment)})
    @action(detail=True, methods=["post"])
    def note(self, request: Request, pk: str) -> HttpResponse:
        """Tell the other officials something about the entry; it is read at `comments`."""
        entry = self.row(pk)
        policy.require(self.user, "note", entry)
        made = comment(writing.person(self.user), entry, self.given(Noted)["text"])
        return answer(reading.as_dict(made, policy.fields(self.user, made)), 201)


class Crews(ResourceViewSet):
    model = EntryCrew
    order = ("created_at",)
    expand = ("user", "entry")


class EntryDevices(ResourceViewSet):
    model = EntryDevice
    order = ("priority",)
    expand = ("device", "entry")


RESOURCES = {
    "events": Events,
    "classes": Classes,
    "entries": Entries,
    "entry_crew": Crews,
    "entry_devices": EntryDevices,
}
