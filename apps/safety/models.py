"""Alerts of crews that may need help, who looks after them, and which stages are closed."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.base import Row
from apps.course.models import SegmentType, Stage
from apps.events.models import Entry, Event
from apps.safety.domain.watch import CRASH, TILT, Kind, Limits, Severity

ATTRIBUTES = RegexValidator(
    r"^[a-z][a-z0-9_]*( [a-z][a-z0-9_]*)*$", _("Keys of decoded attributes, a blank between two.")
)
ATTRIBUTE = RegexValidator(r"^[a-z][a-z0-9_]*$", _("The key of a decoded attribute: small letters, digits, _."))
DAY_S = 86_400


def watched_types() -> list[str]:
    return [SegmentType.SPECIAL_STAGE.value]


class SafetySettings(Row):
    """When an event raises alerts. An event without a row has these defaults."""

    event = models.OneToOneField(Event, models.CASCADE, related_name="safety_settings")
    watched = ArrayField(
        models.CharField(max_length=16, choices=SegmentType.choices),
        verbose_name=_("where a crew may not stand or be silent"),
        default=watched_types,
        blank=True,
        help_text=_("Types of segment. In service, regroup or a neutralisation a crew may stand as long as it likes."),
    )
    stopped_seconds = models.PositiveIntegerField(
        _("stopped after, s"),
        default=180,
        validators=[MinValueValidator(30), MaxValueValidator(DAY_S)],
        help_text=_("A crew that stands so long inside a watched segment raises an alert (rulebook 9.4: 3 minutes)."),
    )
    stop_radius_m = models.PositiveIntegerField(
        _("stop radius, m"),
        default=50,
        validators=[MinValueValidator(10), MaxValueValidator(1000)],
        help_text=_("Who stays within it stands. The alert ends four times as far from where it began."),
    )
    silent_seconds = models.PositiveIntegerField(
        _("silent after, s"),
        default=600,
        validators=[MinValueValidator(30), MaxValueValidator(DAY_S)],
        help_text=_("No position of any tracker for so long (rulebook 9.4: 10 minutes)."),
    )
    no_coverage_seconds = models.PositiveIntegerField(
        _("without coverage until, s"),
        default=1800,
        validators=[MaxValueValidator(DAY_S)],
        help_text=_("Silence where the network is known to be away is only a notice, for so long."),
    )
    overdue_seconds = models.PositiveIntegerField(
        _("overdue by, s"),
        default=0,
        validators=[MaxValueValidator(DAY_S)],
        help_text=_("So much later than the segment's maximum time, or twice the median of the class, is overdue."),
    )
    crash_attribute = models.CharField(
        _("crash attribute"),
        max_length=50,
        default=CRASH,
        validators=[ATTRIBUTE],
        help_text=_("The decoded attribute that tells of a shock, by the IO mapping: 1 or more is one."),
    )
    tilt_attribute = models.CharField(
        _("tilt attributes"),
        max_length=100,
        default=TILT,
        validators=[ATTRIBUTES],
        help_text=_("Decoded attributes with an angle of the vehicle, degrees, 0 upright; the largest counts."),
    )
    tilt_degrees = models.PositiveIntegerField(
        _("tilted from, °"), default=60, validators=[MinValueValidator(10), MaxValueValidator(180)]
    )
    escalate_seconds = models.PositiveIntegerField(
        _("escalate after, s"),
        default=180,
        validators=[MaxValueValidator(DAY_S)],
        help_text=_("A critical alert nobody acknowledged for so long escalates by itself; 0 = never."),
    )

    class Meta:
        db_table = "safety_settings"
        verbose_name = _("safety settings")
        verbose_name_plural = _("safety settings")

    def __str__(self) -> str:
        return f"{self.event}"

    def limits(self) -> Limits:
        return Limits(
            stopped_ms=self.stopped_seconds * 1000,
            stop_radius_m=self.stop_radius_m,
            silent_ms=self.silent_seconds * 1000,
            no_coverage_ms=self.no_coverage_seconds * 1000,
            overdue_margin_ms=self.overdue_seconds * 1000,
            crash_attribute=self.crash_attribute,
            tilt_attributes=tuple(self.tilt_attribute.split()),
            tilt_degrees=self.tilt_degrees,
            watched=frozenset(self.watched),
        )

    @property
    def escalate_after(self) -> timedelta:
        return timedelta(seconds=self.escalate_seconds)


KINDS = [
    (Kind.PANIC.value, _("SOS")),
    (Kind.CRASH.value, _("crash")),
    (Kind.TILT.value, _("tilted")),
    (Kind.STOPPED.value, _("stopped")),
    (Kind.SILENT.value, _("silent")),
    (Kind.OVERDUE.value, _("overdue")),
]
SEVERITIES = [
    (int(Severity.NOTICE), _("notice")),
    (int(Severity.WARNING), _("warning")),
    (int(Severity.CRITICAL), _("critical")),
]


class Alert(Row):
    """One crew, one kind of trouble. Raised by the watch (`apps.safety.detector`), worked off by officials.

    At most one per entry and kind is not closed. `cleared_at`: the condition is over; without an owner the alert then
    closes by itself. `fix_ts` (epoch ms) and the place are those of the latest fix that belongs to it.
    """

    event = models.ForeignKey(Event, models.RESTRICT, related_name="alerts")
    entry = models.ForeignKey(Entry, models.RESTRICT, related_name="alerts")
    stage = models.ForeignKey(Stage, models.SET_NULL, null=True, blank=True, related_name="alerts")
    kind = models.CharField(_("kind"), max_length=10, choices=KINDS)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=SEVERITIES)
    since = models.BigIntegerField(_("since, epoch ms"))
    fix_ts = models.BigIntegerField(_("latest fix, epoch ms"), null=True)
    latitude = models.FloatField(_("latitude"), null=True)
    longitude = models.FloatField(_("longitude"), null=True)
    device = models.CharField(_("IMEI"), max_length=20, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    raised_at = models.DateTimeField(_("raised at"))
    cleared_at = models.DateTimeField(_("over at"), null=True)
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.RESTRICT, null=True, related_name="acknowledged_alerts"
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, null=True, related_name="owned_alerts")
    escalated_at = models.DateTimeField(_("escalated at"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, null=True, related_name="closed_alerts")
    reason = models.CharField(_("how it ended"), max_length=500, blank=True)

    class Meta:
        db_table = "alerts"
        ordering = ("-severity", "raised_at")
        constraints = [
            models.UniqueConstraint(
                fields=("entry", "kind"), condition=Q(closed_at__isnull=True), name="alerts_one_open"
            ),
            models.CheckConstraint(condition=Q(kind__in=[k.value for k in Kind]), name="alerts_kind_known"),
            models.CheckConstraint(condition=Q(severity__gte=1, severity__lte=3), name="alerts_severity_known"),
            models.CheckConstraint(
                condition=Q(closed_by__isnull=True) | Q(closed_at__isnull=False) & ~Q(reason=""),
                name="alerts_closed_with_reason",
            ),
        ]
        indexes = [models.Index(fields=("event", "closed_at"), name="alerts_event")]

    def __str__(self) -> str:
        return f"{self.entry}: {self.get_kind_display()}"

    @property
    def state(self) -> str:
        """open, acknowledged, escalated or closed."""
        if self.closed_at:
            return "closed"
        if self.escalated_at:
            return "escalated"
        return "acknowledged" if self.acknowledged_at else "open"


class AlertAct(models.TextChoices):
    RAISED = "raised", _("raised")
    WORSENED = "worsened", _("worsened")
    OVER = "over", _("over")
    AGAIN = "again", _("again")
    ACKNOWLEDGED = "acknowledged", _("acknowledged")
    ESCALATED = "escalated", _("escalated")
    HANDED_OVER = "handed-over", _("handed over")
    NOTED = "noted", _("noted")
    CLOSED = "closed", _("closed")
    PUT_BACK = "put-back", _("put back")
    STOOD_DOWN = "stood-down", _("stood down")
    REOPENED = "reopened", _("reopened")


class AlertLine(Row):
    """The log of an alert, in order; lines are only added. No author = the watch itself."""

    alert = models.ForeignKey(Alert, models.RESTRICT, related_name="lines")
    act = models.CharField(_("act"), max_length=12, choices=AlertAct.choices)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, null=True, related_name="alert_lines")
    text = models.CharField(_("text"), max_length=500, blank=True)

    class Meta:
        db_table = "alert_lines"
        ordering = ("created_at", "id")
        constraints = [models.CheckConstraint(condition=Q(act__in=AlertAct.values), name="alert_lines_act_known")]

    def __str__(self) -> str:
        return f"{self.alert}: {self.get_act_display()}"


class Accounting(Row):
    """An official says what became of an entry that a stage cannot tell: found, towed away, at the hospital.

    Said in error, it is withdrawn: it stays, and the crew is looked for again.
    """

    stage = models.ForeignKey(Stage, models.RESTRICT, related_name="accountings")
    entry = models.ForeignKey(Entry, models.RESTRICT, related_name="accountings")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, related_name="accountings")
    reason = models.CharField(_("what became of it"), max_length=500)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, editable=False)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.RESTRICT, null=True, editable=False, related_name="withdrawn_accountings"
    )
    withdrawn_reason = models.CharField(_("why it was withdrawn"), max_length=500, blank=True, editable=False)

    class Meta:
        db_table = "entry_accountings"
        constraints = [
            models.UniqueConstraint(
                fields=("stage", "entry"), condition=Q(withdrawn_at__isnull=True), name="entry_accountings_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="entry_accountings_reasoned"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdrawn_reason=""),
                name="entry_accountings_withdrawn_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage}: {self.entry}"


class StageClosing(Row):
    """A stage is closed: nobody is left on it. Made by `apps.safety.closing.close_stage` alone; it may be reopened."""

    stage = models.ForeignKey(Stage, models.RESTRICT, related_name="closings")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, related_name="stage_closings")
    note = models.CharField(_("note"), max_length=500, blank=True)
    reopened_at = models.DateTimeField(_("reopened at"), null=True, editable=False)
    reopened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.RESTRICT, null=True, editable=False, related_name="reopened_stages"
    )
    reason = models.CharField(_("why it was reopened"), max_length=500, blank=True, editable=False)

    class Meta:
        db_table = "stage_closings"
        constraints = [
            models.UniqueConstraint(
                fields=("stage",), condition=Q(reopened_at__isnull=True), name="stage_closings_one_in_force"
            ),
            models.CheckConstraint(
                condition=Q(reopened_at__isnull=True, reopened_by__isnull=True)
                | Q(reopened_at__isnull=False, reopened_by__isnull=False) & ~Q(reason=""),
                name="stage_closings_reopened_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage}"
