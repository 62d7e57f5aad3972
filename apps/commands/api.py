"""Commands to trackers over REST: sent one by one or to a group, at once or later."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts.models import Organization
from apps.catalog.models import Device
from apps.commands import services
from apps.commands.models import Command, CommandText
from apps.rest import writing
from apps.rest.answers import answer
from apps.rest.serializers import Body, Reference, Text
from apps.rest.views import AddOnlyResource, ResourceViewSet

MOST_AT_ONCE = 1000


class Group(Body):
    organization = Reference(queryset=Organization.objects.all())
    devices = serializers.ListField(
        child=Reference(queryset=Device.objects.all()), min_length=1, max_length=MOST_AT_ONCE
    )
    text = Text(max_length=500)
    not_before = serializers.DateTimeField(required=False, allow_null=True)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class Sent(serializers.Serializer[Any]):
    batch = serializers.UUIDField()
    commands = serializers.ListField(child=serializers.UUIDField())


class Commands(AddOnlyResource):
    """Who sends is the author. Queued until an ingestion instance holds the device, for an hour if not said."""

    model = Command
    order = ("-created_at",)
    search = ("text",)
    expand = ("device",)
    read_only = frozenset({
        "author", "state", "batch", "instance", "sent_at", "settled_at", "response",
    })  # fmt: skip

    def make(self, values: dict[str, Any]) -> Command:
        device = values.pop("device")
        return services.send(writing.person(self.user), services.Order(**values), device)

    @extend_schema(request=Group, responses={200: Sent})
    @action(detail=False, methods=["post"])
    def group(self, request: Request) -> HttpResponse:
        """The same command to many devices: to all or to none."""
        given = self.given(Group)
        devices = given.pop("devices")
        sent = services.send_all(writing.person(self.user), services.Order(**given), devices)
        return answer({"batch": sent[0].batch, "commands": [command.pk for command in sent]})


class CommandTexts(ResourceViewSet):
    model = CommandText
    order = ("device_model", "pattern")


RESOURCES = {"commands": Commands, "command_texts": CommandTexts}
