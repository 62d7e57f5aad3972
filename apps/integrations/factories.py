"""Rows for tests."""

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.accounts.factories import OrganizationFactory
from apps.events.factories import EventFactory
from apps.integrations.models import Delivery, DomainEvent, Kind, Webhook


class DomainEventFactory(DjangoModelFactory[DomainEvent]):
    class Meta:
        model = DomainEvent

    kind = Kind.ALERT_RAISED
    event = factory.SubFactory(EventFactory)
    at = factory.LazyFunction(timezone.now)
    payload = factory.LazyFunction(dict)


class WebhookFactory(DjangoModelFactory[Webhook]):
    class Meta:
        model = Webhook

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Webhook {n}")
    url = "https://example.org/hook"


class DeliveryFactory(DjangoModelFactory[Delivery]):
    class Meta:
        model = Delivery

    webhook = factory.SubFactory(WebhookFactory)
    domain_event = factory.SubFactory(DomainEventFactory)
    lane = factory.SelfAttribute("domain_event.event_id")
    next_at = factory.LazyFunction(timezone.now)
