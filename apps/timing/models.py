"""Readings and evidence of time: start times, crossings, timing records (contracts §3)."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.base import Row
from apps.common.position import instant
from apps.course.models import Segment, Stage
from apps.course.queries import is_control_of
from apps.events.models import Entry, TimingSource


class EntrySegmentStart(Row):
    """When an entry is to start a segment, and when it did."""

    entry = models.ForeignKey(Entry, models.RESTRICT, related_name="segment_starts")
    segment = models.ForeignKey(Segment, models.RESTRICT, related_name="entry_starts")
    start_position = models.PositiveIntegerField(_("start position"))
    target_at = models.DateTimeField(_("target time"))
    actual_at = models.DateTimeField(_("actual time"), null=True, blank=True)
    manual_override = models.BooleanField(_("set by hand"), default=False)

    class Meta:
        db_table = "entry_segment_starts"
        ordering = ("start_position",)
        constraints = [models.UniqueConstraint(fields=("entry", "segment"), name="entry_segment_starts_once")]

    def __str__(self) -> str:
        return f"{self.entry}: {self.start_position}"


class CrossingDirection(models.TextChoices):
    ENTER = "enter", _("enter")
    LEAVE = "leave", _("leave")
    CUT = "cut", _("cut")


class EntryCrossing(models.Model):
    """A reading: one chord of one device entering, leaving or cutting a control.

    Written and replaced by the scorer alone, window by window. `control` is the id of a geofence,
    waypoint or speed zone; instants are epoch milliseconds, so that they stay what was computed.
    """

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(
        Entry, models.RESTRICT, related_name="crossings", db_index=False
    )  # the indexes below begin with it
    control = models.UUIDField(_("control"))
    direction = models.CharField(_("direction"), max_length=5, choices=CrossingDirection.choices)
    ts = models.BigIntegerField(_("instant, ms"))
    uncertainty_ms = models.IntegerField(_("uncertainty, ms"))
    device = models.CharField(_("IMEI"), max_length=20)
    before_ts = models.BigIntegerField(_("fix before, ms"))
    after_ts = models.BigIntegerField(_("fix after, ms"))
    fraction = models.FloatField(_("fraction of the chord"))
    occurrence = models.SmallIntegerField(_("occurrence within the chord"), default=0)
    min_distance_m = models.FloatField(_("smallest distance, m"), null=True)

    class Meta:
        db_table = "entry_crossings"
        ordering = ("ts",)
        constraints = [
            models.UniqueConstraint(
                fields=(
                    "entry",
                    "device",
                    "after_ts",  # before the other: by it the scorer finds what lies in a window
                    "before_ts",
                    "control",
                    "direction",
                    "occurrence",
                ),
                name="entry_crossings_once",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    before_ts__lte=models.F("ts"),
                    after_ts__gte=models.F("ts"),
                    fraction__gte=0,
                    fraction__lte=1,
                ),
                name="entry_crossings_between_its_fixes",
            ),
        ]
        indexes = [
            models.Index(fields=("entry", "ts"), name="entry_crossings_entry_ts"),
            models.Index(fields=("ts", "id"), name="entry_crossings_newest"),  # the API's list, either way
        ]

    def __str__(self) -> str:
        return f"{self.entry} {self.get_direction_display()} {instant(self.ts):%H:%M:%S}"


class TimingStatus(models.TextChoices):
    GOOD = "good", _("good")
    QUESTIONABLE = "questionable", _("questionable")
    BAD = "bad", _("bad")
    CONFIRMED = "confirmed", _("confirmed")


class TimingRecord(Row):
    """Evidence: a time somebody or something recorded at a control. Kept for ever, graded, never edited.

    One that was recorded in error is withdrawn: it stays, and counts no more.
    """

    entry = models.ForeignKey(Entry, models.RESTRICT, related_name="timing_records")
    control = models.UUIDField(_("control"))
    source = models.CharField(_("source"), max_length=12, choices=TimingSource.choices)
    ts = models.DateTimeField(_("time"))
    status = models.CharField(_("status"), max_length=12, choices=TimingStatus.choices, default=TimingStatus.GOOD)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.RESTRICT, null=True, blank=True, related_name="timing_records"
    )
    reason = models.TextField(_("reason"), blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True, editable=False)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.RESTRICT,
        verbose_name=_("withdrawn by"),
        null=True,
        blank=True,
        editable=False,
        related_name="withdrawn_timing_records",
    )
    withdrawn_reason = models.TextField(_("why it was withdrawn"), blank=True, editable=False)

    class Meta:
        db_table = "timing_records"
        ordering = ("ts",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True, withdrawn_reason="")
                | models.Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~models.Q(withdrawn_reason=""),
                name="timing_records_withdrawal_signed",
            ),
            models.CheckConstraint(
                condition=models.Q(source__in=TimingSource.values), name="timing_records_source_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=TimingStatus.values), name="timing_records_status_known"
            ),
        ]
        indexes = [models.Index(fields=("entry", "control", "ts"), name="timing_records_lookup")]

    def __str__(self) -> str:
        return f"{self.entry} {self.get_source_display()} {self.ts:%H:%M:%S}"

    def clean(self) -> None:
        if self.entry_id and self.control and not is_control_of(self.entry.event_id, self.control):
            raise ValidationError({"control": _("The event of this entry has no such control.")})


class StartOverride(Row):
    """A decision: an official moves an entry on a stage's start list (rulebook 7.1, repositioning).

    Exactly one of `position` (within the list of the entry's block), `after` and `start_at` is set. It holds
    until it is revoked, through every republishing.
    """

    stage = models.ForeignKey(Stage, models.RESTRICT, related_name="start_overrides")
    entry = models.ForeignKey(Entry, models.RESTRICT, related_name="start_overrides")
    position = models.PositiveIntegerField(
        _("position"), null=True, blank=True, help_text=_("Within the list of its block; the others close up.")
    )
    after = models.ForeignKey(
        Entry, models.RESTRICT, verbose_name=_("after"), null=True, blank=True, related_name="start_followers"
    )
    start_at = models.DateTimeField(
        _("start at"), null=True, blank=True, help_text=_("An exact time; nobody else moves.")
    )
    reason = models.TextField(_("reason"))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, related_name="start_overrides")
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.RESTRICT,
        verbose_name=_("revoked by"),
        null=True,
        blank=True,
        editable=False,
        related_name="revoked_start_overrides",
    )

    class Meta:
        db_table = "start_overrides"
        ordering = ("created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("stage", "entry"),
                condition=models.Q(revoked_at__isnull=True),
                name="start_overrides_one_in_force",
                violation_error_message=_("This entry has an override in force on this stage: revoke it first."),
            ),
            models.CheckConstraint(
                condition=models.Q(position__gte=1, after__isnull=True, start_at__isnull=True)
                | models.Q(position__isnull=True, after__isnull=False, start_at__isnull=True)
                | models.Q(position__isnull=True, after__isnull=True, start_at__isnull=False),
                name="start_overrides_one_kind",
                violation_error_message=_("Give one of position (from 1), after and start at."),
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="start_overrides_reasoned"),
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | models.Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="start_overrides_revocation_signed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage}: {self.entry}"

    def clean(self) -> None:
        for name in ("entry", "after"):
            entry = getattr(self, name) if getattr(self, f"{name}_id") else None
            if entry is not None and self.stage_id and entry.event_id != self.stage.event_id:
                raise ValidationError({name: _("This entry belongs to another event.")})


class StartListState(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")


class StartList(Row):
    """A version of a stage's start list as it was given out. The database refuses an edit once it is published.

    `rows` is the list in order of start: position, entry, number, crew, class, block, slot, instants in
    epoch ms, and the override's reason where there is one.
    """

    stage = models.ForeignKey(Stage, models.RESTRICT, related_name="start_lists")
    version = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=12, choices=StartListState.choices, default=StartListState.DRAFT)
    rows = models.JSONField(_("rows"))
    reason = models.TextField(_("reason"), blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, related_name="start_lists")
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    hash = models.CharField(_("hash"), max_length=64)

    class Meta:
        db_table = "start_lists"
        ordering = ("stage", "-version")
        constraints = [
            models.UniqueConstraint(fields=("stage", "version"), name="start_lists_once"),
            models.CheckConstraint(
                condition=models.Q(state="draft", published_at__isnull=True)
                | models.Q(state="published", published_at__isnull=False),
                name="start_lists_published_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage} #{self.version} ({self.get_state_display()})"
