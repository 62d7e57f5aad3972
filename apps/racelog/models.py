"""The race-control log of an event, and what an event wants of it before a stage is opened."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.base import Row
from apps.course.models import Stage
from apps.events.models import Entry, Event
from apps.racelog.domain.log import Kind

KINDS = [
    (Kind.NOTE.value, _("note")),
    (Kind.GO.value, _("go")),
    (Kind.NO_GO.value, _("no-go")),
    (Kind.HOLD.value, _("starts held")),
    (Kind.RELEASE.value, _("starts released")),
    (Kind.RED.value, _("red signal")),
    (Kind.GREEN.value, _("stage restarted")),
    (Kind.NOTIONAL.value, _("notional times")),
    (Kind.FALSE_START.value, _("false start")),
    (Kind.INCIDENT.value, _("incident")),
    (Kind.SETTLED.value, _("contradiction settled")),
    (Kind.PROTEST.value, _("protest lodged")),
    (Kind.HEARD.value, _("protest heard")),
    (Kind.DONE.value, _("done")),
    (Kind.TAKEN_BACK.value, _("taken back")),
]


class Service(models.TextChoices):
    """Who reports ready before a stage is opened (rulebook 9.3, an hour before the start)."""

    MEDICAL = "medical", _("medical")
    HELICOPTER = "helicopter", _("helicopter")
    SWEEP = "sweep", _("sweep")
    TIMING = "timing", _("timing")
    TRACKING = "tracking", _("tracking")
    RADIO = "radio", _("radio")
    ROUTE = "route", _("route: opening car through")


class Opening(models.TextChoices):
    """What is done about who is not ready when a stage is opened."""

    WARN = "warn", _("warn")
    REFUSE = "refuse", _("refuse")


def needed_services() -> list[str]:
    return [Service.MEDICAL.value, Service.SWEEP.value, Service.TIMING.value]


class RaceControlSettings(Row):
    """Who has to be ready before a stage of the event is opened. An event without a row has these defaults."""

    event = models.OneToOneField(Event, models.CASCADE, related_name="race_control_settings")
    services = ArrayField(
        models.CharField(max_length=12, choices=Service.choices),
        verbose_name=_("services that report go"),
        default=needed_services,
        blank=True,
        help_text=_("Each says go or no-go at the race-control page before a stage is opened."),
    )
    controls = models.BooleanField(
        _("controls report go as well"), default=False, help_text=_("Every start and finish of the stage's specials.")
    )
    opening = models.CharField(
        _("while one is missing, opening a stage is"),
        max_length=8,
        choices=[
            (Opening.WARN.value, _("only warned about")),
            (Opening.REFUSE.value, _("refused until all are ready")),
        ],
        default=Opening.WARN,
        help_text=_("Opening publishes the start list and sets the assigned starts."),
    )

    class Meta:
        db_table = "race_control_settings"
        verbose_name = _("race control settings")
        verbose_name_plural = _("race control settings")
        constraints = [
            models.CheckConstraint(condition=Q(opening__in=Opening.values), name="race_control_settings_opening_known")
        ]

    def __str__(self) -> str:
        return f"{self.event}"


class LogLine(Row):
    """A line of the race-control log: time, author, entry, text, place (rulebook 9.4). Lines are only added.

    `at` is when it happened, `created_at` when it was written. `about` and `data` are what the kind needs
    (`apps.racelog.domain.log`, `apps.racelog.services`). A line is taken back by another one, which names it.
    """

    event = models.ForeignKey(Event, models.RESTRICT, related_name="race_log")
    stage = models.ForeignKey(Stage, models.RESTRICT, null=True, blank=True, related_name="race_log")
    kind = models.CharField(_("kind"), max_length=12, choices=KINDS)
    at = models.DateTimeField(_("time"))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, related_name="race_log")
    entry = models.ForeignKey(Entry, models.RESTRICT, null=True, blank=True, related_name="race_log")
    control = models.UUIDField(_("control"), null=True, blank=True)
    place = models.CharField(_("place"), max_length=200, blank=True)
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    text = models.TextField(_("text"), blank=True)
    about = models.CharField(_("about"), max_length=200, blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)
    takes_back = models.OneToOneField(
        "self", models.RESTRICT, verbose_name=_("takes back"), null=True, blank=True, related_name="taken_back"
    )

    class Meta:
        db_table = "race_log"
        ordering = ("created_at", "id")
        verbose_name = _("race log line")
        verbose_name_plural = _("race log")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=[kind.value for kind in Kind]), name="race_log_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="taken-back", takes_back__isnull=False)
                | ~Q(kind="taken-back") & Q(takes_back__isnull=True),
                name="race_log_taken_back_named",
            ),
        ]
        indexes = [models.Index(fields=("event", "created_at"), name="race_log_event")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%H:%M:%S}"

    @property
    def later(self) -> bool:
        """Whether it was written more than a minute after it happened."""
        return self.created_at - self.at > timedelta(minutes=1)

    @property
    def undone(self) -> Any:
        """The line that takes this one back, None where it stands."""
        return getattr(self, "taken_back", None)
