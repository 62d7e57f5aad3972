"""Webhooks in the admin: their secret is shown once, when it is made."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts import policy
from apps.accounts.admin_policy import PolicyAdmin, person
from apps.common.admin import ReadOnlyAdmin
from apps.integrations.models import Delivery, DomainEvent, Webhook
from apps.integrations.services import renew_secret, send_again


@admin.register(Webhook)
class WebhookAdmin(PolicyAdmin[Webhook]):
    list_display = ("name", "organization", "event", "url", "active")
    list_select_related = ("organization", "event")
    list_filter = ("active", "organization")
    search_fields = ("name",)
    actions = ("renew",)

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            self._show(request, obj, obj.secret)

    @admin.action(description=_("New secret"))
    def renew(self, request: HttpRequest, webhooks: QuerySet[Webhook]) -> None:
        for webhook in webhooks:
            policy.require(person(request), "change", webhook)
            self._show(request, webhook, renew_secret(webhook))

    def _show(self, request: HttpRequest, webhook: Webhook, secret: str) -> None:
        text = _("The secret of %(webhook)s, shown this once: %(secret)s")
        self.message_user(request, text % {"webhook": webhook, "secret": secret}, messages.WARNING)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin[Delivery], PolicyAdmin[Delivery]):
    when_empty = _("Nothing was sent to a webhook yet: make the webhook first.")
    list_display = ("domain_event", "webhook", "state", "attempts", "next_at", "delivered_at")
    list_select_related = ("webhook", "domain_event")
    list_filter = ("state", "webhook")
    fields = (
        "webhook", "domain_event", "state", "attempts", "next_at", "leased_until", "delivered_at", "log",
    )  # fmt: skip
    actions = ("again",)

    @admin.action(description=_("Send again"))
    def again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        rows = list(deliveries.select_related("webhook"))
        if not all(policy.may(person(request), "change", row) for row in rows):
            raise PermissionDenied
        count = send_again(row.id for row in rows)
        self.message_user(request, _("%(count)d will be sent again.") % {"count": count})


@admin.register(DomainEvent)
class DomainEventAdmin(ReadOnlyAdmin[DomainEvent], PolicyAdmin[DomainEvent]):
    when_empty = _("Nothing has happened yet that a webhook would be told.")
    list_display = ("id", "at", "kind", "event", "entry", "relayed_at")
    list_select_related = ("event", "entry")
    list_filter = ("kind", "event")
