"""The event's own penalty rules as rows, and the penalties issued by them (contracts §3)."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.base import Row
from apps.course.models import Stage
from apps.events.models import Entry, Event


class AppliesTo(models.TextChoices):
    STAGE = "stage", _("stage")
    OVERALL = "overall", _("overall")
    START_ORDER = "start_order", _("start order")


class BracketMode(models.TextChoices):
    """The maths of rulebook §3.5."""

    FLAT_MAX = "flat_max", _("flat, highest excess")
    PER_IMPULSE = "per_impulse", _("per impulse")
    WHOLE = "whole", _("highest bracket for every impulse")
    MARGINAL = "marginal", _("marginal, per km/h")
    PER_SECOND = "per_second", _("per second")


def stage_and_overall() -> list[str]:
    return [AppliesTo.STAGE.value, AppliesTo.OVERALL.value]


class PenaltyFormula(Row):
    """One row of the event's penalty table: an evaluator, what it is about, a bracket, a value.

    `belongs_to_type` is "" (whole event), "class" or "zone", `belongs_to_id` the id of that row.
    """

    event = models.ForeignKey(Event, models.RESTRICT, related_name="penalty_formulas")
    belongs_to_type = models.CharField(
        _("belongs to"),
        max_length=16,
        blank=True,
        choices=[("", _("event")), ("class", _("class")), ("zone", _("speed zone"))],
    )
    belongs_to_id = models.UUIDField(_("belongs to id"), null=True, blank=True)
    type = models.CharField(
        _("evaluator"),
        max_length=40,
        choices=[
            ("missed_waypoint", _("missed waypoint")),
            ("speed_zone", _("speed zone")),
            ("waypoint_ratio", _("waypoint ratio")),
        ],
    )
    target = models.CharField(
        _("target"), max_length=16, blank=True, help_text=_("Waypoint type, e.g. WPM; empty = all.")
    )
    offence_min = models.FloatField(_("from, inclusive"), default=0)
    offence_max = models.FloatField(_("to, inclusive"), null=True, blank=True)
    operator = models.CharField(_("operator"), max_length=8, default="add", choices=[("add", _("adds time"))])
    penalty = models.FloatField(_("penalty, s"))
    bracket_mode = models.CharField(
        _("bracket mode"), max_length=12, choices=BracketMode.choices, default=BracketMode.FLAT_MAX
    )
    applies_to = ArrayField(models.CharField(max_length=12, choices=AppliesTo.choices), default=stage_and_overall)
    article = models.CharField(_("article"), max_length=200, blank=True, help_text=_("Where the regulations say so."))
    retroactive = models.BooleanField(
        _("retroactive"), default=True, help_text=_("An edit scores again what has already been driven.")
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        db_table = "penalty_formulas"
        ordering = ("type", "target", "offence_min")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(offence_max__isnull=True) | models.Q(offence_max__gte=models.F("offence_min")),
                name="penalty_formulas_bracket_ordered",
            ),
            models.CheckConstraint(
                condition=models.Q(belongs_to_type="", belongs_to_id__isnull=True)
                | models.Q(belongs_to_type__in=["class", "zone"], belongs_to_id__isnull=False),
                name="penalty_formulas_owner_named",
            ),
            models.CheckConstraint(
                condition=models.Q(bracket_mode__in=BracketMode.values), name="penalty_formulas_mode_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.target} {self.offence_min:g}-{self.offence_max or '∞'}: {self.penalty:g} s"


class PenaltyStatus(models.TextChoices):
    PROPOSED = "proposed", _("proposed")
    CONFIRMED = "confirmed", _("confirmed")
    WAIVED = "waived", _("waived")
    IMPOSED = "imposed", _("imposed")


class EntryPenalty(Row):
    """A penalty an entry has in a stage.

    `key` names the offence (evaluator and target), so that a decision holds on to it through every
    recompute; formula and inputs are frozen as they were. Rows with an author are decisions and are
    kept by the scorer; rows without are readings and are replaced.
    """

    entry = models.ForeignKey(Entry, models.RESTRICT, related_name="penalties")
    stage = models.ForeignKey(Stage, models.RESTRICT, related_name="penalties")
    key = models.CharField(_("offence"), max_length=200)
    type = models.CharField(_("evaluator"), max_length=40)
    formula = models.ForeignKey(PenaltyFormula, models.SET_NULL, null=True, blank=True, related_name="issued")
    formula_snapshot = models.JSONField(_("formula as it was"), default=dict)
    inputs = models.JSONField(_("inputs"), default=dict)
    seconds = models.DecimalField(_("seconds"), max_digits=10, decimal_places=3)
    applies_to = ArrayField(models.CharField(max_length=12, choices=AppliesTo.choices), default=stage_and_overall)
    status = models.CharField(_("status"), max_length=12, choices=PenaltyStatus.choices, default=PenaltyStatus.PROPOSED)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.RESTRICT, null=True, blank=True, related_name="decided_penalties"
    )
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        db_table = "entry_penalties"
        ordering = ("created_at",)
        verbose_name_plural = _("entry penalties")
        constraints = [
            models.UniqueConstraint(fields=("entry", "stage", "key"), name="entry_penalties_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=PenaltyStatus.values), name="entry_penalties_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status="proposed") | models.Q(author__isnull=False) & ~models.Q(reason=""),
                name="entry_penalties_decision_signed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry} {self.key}: {self.seconds} s"
