"""Results: readings of the scorer, published revisions, and the outbox that carries changes out."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.base import Row
from apps.course.models import Stage
from apps.events.models import Entry, Event
from apps.penalties.domain.formulas import clock


class ResultStatus(models.TextChoices):
    REGISTERED = "registered", _("registered")
    RUNNING = "running", _("running")
    FINISHED = "finished", _("finished")
    DNF = "dnf", _("did not finish")
    DNS = "dns", _("did not start")
    OTL = "otl", _("over time limit")
    NC = "nc", _("not classified")
    DSQ = "dsq", _("disqualified")


class Result(Row):
    """What a stage result and an event result share. Times in ms; null = none yet."""

    status = models.CharField(_("status"), max_length=12, choices=ResultStatus.choices, default=ResultStatus.REGISTERED)
    time_ms = models.BigIntegerField(_("time, ms"), null=True)
    penalty_ms = models.BigIntegerField(_("penalties, ms"), default=0)
    total_ms = models.BigIntegerField(_("total, ms"), null=True)
    rank = models.PositiveIntegerField(_("rank"), null=True)
    class_rank = models.PositiveIntegerField(_("rank in class"), null=True)

    class Meta:
        abstract = True


def _told(ms: int | None) -> str:
    return "–" if ms is None else clock(ms)


class StageResult(Result):
    entry = models.ForeignKey(Entry, models.RESTRICT, related_name="stage_results")
    stage = models.ForeignKey(Stage, models.RESTRICT, related_name="results")
    overall_penalty_ms = models.BigIntegerField(_("penalties that count overall, ms"), default=0)
    splits = models.JSONField(_("special-stage times, ms"), default=list)
    last_control = models.CharField(_("last control"), max_length=100, blank=True)
    outcome = models.JSONField(_("how it came about"), default=dict)
    inputs_hash = models.CharField(_("hash of the inputs"), max_length=64)

    class Meta:
        db_table = "stage_results"
        constraints = [
            models.UniqueConstraint(fields=("entry", "stage"), name="stage_results_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=ResultStatus.values), name="stage_results_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry} {self.stage}: {_told(self.total_ms)}"


class EventResult(Result):
    """An entry's place in the event: the sum of its stage results."""

    entry = models.OneToOneField(Entry, models.RESTRICT, related_name="event_result")
    event = models.ForeignKey(Event, models.RESTRICT, related_name="results")
    completed_stages = models.PositiveIntegerField(_("completed stages"), default=0)

    class Meta:
        db_table = "event_results"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=ResultStatus.values), name="event_results_status_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.entry}: {_told(self.total_ms)}"


class RevisionState(models.TextChoices):
    UNOFFICIAL = "unofficial", _("unofficial")
    PROVISIONAL = "provisional", _("provisional")
    OFFICIAL = "official", _("official")
    AMENDED = "amended", _("amended")


class ResultRevision(Row):
    """A published, frozen classification of a stage or of the whole event (stage null)."""

    event = models.ForeignKey(Event, models.RESTRICT, related_name="revisions")
    stage = models.ForeignKey(Stage, models.RESTRICT, null=True, blank=True, related_name="revisions")
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=12, choices=RevisionState.choices)
    protest_until = models.DateTimeField(_("protests until"), null=True, blank=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, related_name="revisions")
    reason = models.TextField(_("reason"), blank=True)
    snapshot = models.JSONField(_("snapshot"))
    hash = models.CharField(_("hash"), max_length=64)
    # Each time names in it were replaced: the instant, and its digest before (`was`) and since (`became`).
    erasures = models.JSONField(
        _("erasures of names"),
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        editable=False,
    )

    class Meta:
        db_table = "result_revisions"
        ordering = ("-number",)
        constraints = [
            models.UniqueConstraint(
                fields=("event", "stage", "number"), name="result_revisions_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=RevisionState.values), name="result_revisions_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage or self.event} #{self.number} ({self.get_state_display()})"


class EventState(models.Model):
    """The versions of course and rules by which all of an event was scored last (`apps.scoring.upkeep`)."""

    event = models.OneToOneField(Event, models.CASCADE, primary_key=True, related_name="scoring_state")
    course = models.CharField(max_length=32)
    rules = models.CharField(max_length=32)

    class Meta:
        db_table = "event_scoring_states"

    def __str__(self) -> str:
        return f"{self.event_id}"


class EntryState(models.Model):
    """The versions of what people said about an entry, and of its trackers, by which it was scored last."""

    entry = models.OneToOneField(Entry, models.CASCADE, primary_key=True, related_name="scoring_state")
    inputs = models.CharField(max_length=32)
    devices = models.CharField(max_length=32)

    class Meta:
        db_table = "entry_scoring_states"

    def __str__(self) -> str:
        return f"{self.entry_id}"


class OutboxRow(models.Model):
    """A change to tell the world, written in the transaction that made it. `seq` counts per topic."""

    id = models.BigAutoField(primary_key=True)
    topic = models.CharField(max_length=120)
    seq = models.BigIntegerField()
    payload = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "outbox"
        constraints = [models.UniqueConstraint(fields=("topic", "seq"), name="outbox_once")]

    def __str__(self) -> str:
        return f"{self.topic} {self.seq}"
