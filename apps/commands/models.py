"""Commands to trackers: what may be said to which model by whom, and what became of each."""

import re
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, Role
from apps.catalog.models import Device, DeviceModel
from apps.common import foreign
from apps.common.base import Row
from apps.common.said import phrased, told

LIFE = timedelta(hours=1)


def directors() -> list[str]:
    return [Role.ORG_ADMIN.value, Role.RACE_DIRECTOR.value]


def in_an_hour() -> datetime:
    return timezone.now() + LIFE


class CommandText(Row):
    """A command that may be sent to a device model, and by which roles. What no row allows is refused."""

    device_model = models.ForeignKey(DeviceModel, models.CASCADE, related_name="command_texts")
    pattern = models.CharField(
        _("pattern"), max_length=200, help_text=_("Regular expression of the whole text: getinfo, setparam 104:\\d+")
    )
    roles = ArrayField(
        models.CharField(max_length=20, choices=Role.choices), verbose_name=_("roles"), default=directors
    )
    description = models.CharField(_("description"), max_length=200, blank=True)

    class Meta:
        db_table = "command_texts"
        ordering = ("device_model", "pattern")
        constraints = [models.UniqueConstraint(fields=("device_model", "pattern"), name="command_texts_once")]

    def __str__(self) -> str:
        return f"{self.device_model}: {self.pattern}"

    @property
    def explained(self) -> str:
        """The description: that of a seed in the reader's language, any other as it was typed."""
        return gettext(self.description) if self.description else ""

    def clean(self) -> None:
        """Raises ValidationError for a pattern that is no regular expression."""
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValidationError({"pattern": told(phrased(str(error), foreign.PATTERN), gettext)}) from error


class CommandState(models.TextChoices):
    QUEUED = "queued", _("queued")
    DELIVERED = "delivered", _("delivered")
    RESPONDED = "responded", _("responded")
    FAILED = "failed", _("failed")
    NACK = "nack", _("refused by the device")
    TIMEOUT = "timeout", _("no answer")
    EXPIRED = "expired", _("expired")


class Command(Row):
    """A command to one device. `batch` is shared by those sent together; `sent_at`: handed to an ingestion instance.

    Nobody is sent a command before `not_before` or after `expires_at`.
    """

    organization = models.ForeignKey(Organization, models.RESTRICT, related_name="commands")
    device = models.ForeignKey(Device, models.RESTRICT, related_name="commands")
    text = models.CharField(_("text"), max_length=500)
    state = models.CharField(_("state"), max_length=10, choices=CommandState.choices, default=CommandState.QUEUED)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, related_name="commands")
    batch = models.UUIDField(_("batch"), null=True, blank=True)
    not_before = models.DateTimeField(_("not before"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"), default=in_an_hour)
    instance = models.CharField(_("ingestion instance"), max_length=100, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)
    response = models.TextField(_("answer"), blank=True)

    class Meta:
        db_table = "commands"
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CommandState.values), name="commands_state_known"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("not_before")), name="commands_expire_after_they_may_go"
            ),
        ]
        indexes = [
            models.Index(
                fields=("not_before",), name="commands_waiting", condition=Q(state__in=["queued", "delivered"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.device}: {self.text}"
