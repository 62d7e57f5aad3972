"""What happened, told to other programs: domain events, the webhooks that want them, and every delivery."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization
from apps.common.base import Row
from apps.common.said import of_error
from apps.events.models import Entry, Event
from apps.integrations.signing import new_secret
from apps.integrations.target import TargetError, check_url


class Kind(models.TextChoices):
    """What can happen. sql/560_domain_events.sql writes them; a kind is never renamed, other programs know it."""

    CROSSING_RECORDED = "crossing.recorded", _("crossing recorded")
    CROSSING_WITHDRAWN = "crossing.withdrawn", _("crossing withdrawn")
    TIMING_RECORD_WRITTEN = "timing_record.written", _("timing record written")
    STAGE_RESULT_COMPUTED = "stage_result.computed", _("stage result computed")
    PENALTY_ISSUED = "penalty.issued", _("penalty issued")
    PENALTY_CHANGED = "penalty.changed", _("penalty changed")
    PENALTY_WITHDRAWN = "penalty.withdrawn", _("penalty withdrawn")
    RESULT_PUBLISHED = "result.published", _("result published")
    ALERT_RAISED = "alert.raised", _("alert raised")
    ANOMALY_FOUND = "anomaly.found", _("anomaly found")


class DomainEvent(models.Model):
    """A fact of an event, written by a trigger in the transaction that changed it. `id` orders those of an entry."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(_("kind"), max_length=40, choices=Kind.choices)
    # No constraints: a fact costs one insert and no look-ups, and outlives what it is about.
    event = models.ForeignKey(Event, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    entry = models.ForeignKey(
        Entry, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    at = models.DateTimeField(_("time"))
    payload = models.JSONField(_("payload"))
    relayed_at = models.DateTimeField(_("relayed at"), null=True)

    class Meta:
        db_table = "domain_events"
        ordering = ("-id",)
        verbose_name = _("domain event")
        indexes = [
            models.Index(fields=("id",), name="domain_events_waiting", condition=models.Q(relayed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.kind}"


class Webhook(Row):
    """An address of an organization that is told what happens, of all its events or of one."""

    organization = models.ForeignKey(Organization, models.RESTRICT, related_name="webhooks")
    event = models.ForeignKey(
        Event, models.RESTRICT, null=True, blank=True, related_name="webhooks", help_text=_("Empty = all events.")
    )
    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("URL"), max_length=500)
    kinds = ArrayField(
        models.CharField(max_length=40, choices=Kind.choices),
        verbose_name=_("kinds"), default=list, blank=True, help_text=_("Which it is told; empty = all."),
    )  # fmt: skip
    active = models.BooleanField(_("active"), default=True, help_text=_("While off, what happens waits for it."))
    secret = models.CharField(max_length=80, default=new_secret, editable=False)
    previous_secret = models.CharField(max_length=80, blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "webhooks"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuses an address that may not be called, and an event of somebody else."""
        try:
            check_url(self.url)
        except TargetError as error:
            raise ValidationError({"url": of_error(error, gettext)}) from error
        if self.event is not None and self.event.organization_id != self.organization_id:
            raise ValidationError({"event": _("It belongs to another organization.")})

    def secrets(self, now: datetime) -> Sequence[str]:
        """What to sign with: the secret, and after a change the one before it for a while."""
        overlaps = self.previous_until is not None and self.previous_until > now
        return (self.secret, self.previous_secret) if overlaps else (self.secret,)


class DeliveryState(models.TextChoices):
    PENDING = "pending", _("pending")
    DELIVERED = "delivered", _("delivered")
    GIVEN_UP = "given_up", _("given up")


class Delivery(models.Model):
    """A domain event on its way to a webhook, and every attempt. Within a `lane` (an entry) one follows the other."""

    id = models.BigAutoField(primary_key=True)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    domain_event = models.ForeignKey(DomainEvent, models.CASCADE, related_name="deliveries")
    lane = models.UUIDField(_("lane"))
    state = models.CharField(_("state"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next attempt"))
    leased_until = models.DateTimeField(null=True)
    leased_by = models.CharField(max_length=80, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    log = models.JSONField(_("attempts made"), default=list)

    class Meta:
        db_table = "webhook_deliveries"
        ordering = ("-id",)
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=("webhook", "domain_event"), name="webhook_deliveries_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values), name="webhook_deliveries_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=("webhook", "lane", "domain_event"),
                name="webhook_deliveries_waiting",
                condition=models.Q(state="pending"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.domain_event} → {self.webhook}"
