"""Webhooks, what they were told, and what there was to tell, over REST."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts import policy
from apps.integrations.models import Delivery, DomainEvent, Webhook
from apps.integrations.services import renew_secret, send_again
from apps.rest.answers import answer
from apps.rest.views import ReadOnlyResource, ResourceViewSet


class Secret(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Shown this once.")


class Webhooks(ResourceViewSet):
    """A new webhook has a secret that nobody knows: ask for one with `renew_secret`."""

    model = Webhook
    order = ("name",)
    search = ("name", "url")
    expand = ("event",)

    @extend_schema(request=None, responses={200: Secret})
    @action(detail=True, methods=["post"])
    def renew_secret(self, request: Request, pk: str) -> HttpResponse:
        """Give it a new secret, which is shown this once; for a day the old one signs as well."""
        row = self.row(pk)
        policy.require(self.user, "change", row)
        return answer({"secret": renew_secret(row)})


class WebhookDeliveries(ReadOnlyResource):
    model = Delivery
    order = ("-id",)
    expand = ("webhook", "domain_event")
    example_answer = {"domain_event": 4711}
    heavy = frozenset({"log"})

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str) -> HttpResponse:
        """Deliver it once more; one that is on its way is left alone."""
        row = self.row(pk)
        policy.require(self.user, "change", row)
        send_again([row.pk])
        return HttpResponse(self.body(self.row(pk)), content_type="application/json")


class DomainEvents(ReadOnlyResource):
    """What happened, newest first: for a program that would rather ask than be told."""

    model = DomainEvent
    order = ("-id",)


RESOURCES = {"webhooks": Webhooks, "webhook_deliveries": WebhookDeliveries, "domain_events": DomainEvents}
