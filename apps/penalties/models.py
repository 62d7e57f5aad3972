"""The event's own penalty rules as rows, and the penalties issued by them (contracts §3)."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.common.base import Row
from apps.common.durations import as_duration
from apps.common.said import about, told
from apps.course.models import Stage
from apps.course.retroactive import NotBackwards
from apps.events.models import Entry, Event, RaceClass
from apps.penalties.domain import decisions
from apps.penalties.domain.evaluate import EVALUATORS
from apps.penalties.domain.formulas import Formula
from apps.penalties.domain.registry import problems
from apps.penalties.references import stray_params
from apps.penalties.rule_models import ProfileUse as ProfileUse
from apps.penalties.rule_models import RuleAnswer as RuleAnswer
from apps.penalties.words import code_in_words, offence_in_words, type_in_words


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


class Grade(models.TextChoices):
    """How sure a number is (rulebook §0.1)."""

    A = "A", _("A: the regulation itself")
    B = "B", _("B: quoted; check it against your regulations")
    C = "C", _("C: suggestion")
    D = "D", _("D: choice of TRM")


def evaluator_choices() -> list[tuple[str, Promise]]:
    return [(name, _(evaluator.title)) for name, evaluator in sorted(EVALUATORS.items())]


def decision_choices() -> list[tuple[str, Promise]]:
    return [(kind, _(words.title)) for kind, words in decisions.KINDS.items()]


def stage_and_overall() -> list[str]:
    """The default of before the start order was named; its migration goes by this name."""
    return [AppliesTo.STAGE.value, AppliesTo.OVERALL.value]


def everything() -> list[str]:
    """A sporting penalty touches the start order like the rest (rulebook §6.3)."""
    return list(AppliesTo.values)


class PenaltyFormula(NotBackwards, Row):
    """One row of the event's penalty table: an evaluator, what it is about, a bracket, a value.

    `belongs_to_type` is "" (whole event), "class" or "zone", `belongs_to_id` the id of that row.
    """

    DESCRIPTIVE = frozenset({"article", "grade", "source"})

    event = models.ForeignKey(Event, models.RESTRICT, related_name="penalty_formulas")
    belongs_to_type = models.CharField(
        _("belongs to"),
        max_length=16,
        blank=True,
        choices=[("", _("event")), ("class", _("class")), ("zone", _("speed zone"))],
    )
    belongs_to_id = models.UUIDField(_("belongs to id"), null=True, blank=True)
    type = models.CharField(_("evaluator"), max_length=40, choices=evaluator_choices)
    target = models.CharField(
        _("target"), max_length=40, blank=True, help_text=_("What the evaluator tells apart, e.g. WPM; empty = all.")
    )
    offence_min = models.FloatField(_("from, inclusive"), default=0)
    offence_max = models.FloatField(_("to, inclusive"), null=True, blank=True)
    operator = models.CharField(_("operator"), max_length=8, default="add", choices=[("add", _("adds time"))])
    penalty = models.FloatField(
        _("penalty, s"), null=True, blank=True, help_text=_("Empty = still to be settled: nothing can be published.")
    )
    bracket_mode = models.CharField(
        _("bracket mode"), max_length=12, choices=BracketMode.choices, default=BracketMode.FLAT_MAX
    )
    applies_to = ArrayField(models.CharField(max_length=12, choices=AppliesTo.choices), default=everything)
    params = models.JSONField(_("settings of the evaluator"), default=dict, blank=True)
    article = models.CharField(_("article"), max_length=200, blank=True, help_text=_("Where the regulations say so."))
    grade = models.CharField(
        _("grade of the evidence"),
        max_length=1,
        blank=True,
        choices=Grade.choices,
        help_text=_("Of the value as a profile gave it; empty = the event's own value."),
    )
    source = models.CharField(_("source of the value"), max_length=200, blank=True)
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
        value = "?" if self.penalty is None else f"{self.penalty:g} s"
        about = " ".join(filter(None, (type_in_words(self.type), code_in_words(self.target))))
        return f"{about} {self.bracket}: {value}"

    @property
    def bracket(self) -> str:
        """Its edges; no upper one = ∞."""
        return f"{self.offence_min:g}–{'∞' if self.offence_max is None else format(self.offence_max, 'g')}"

    def as_formula(self) -> Formula:
        """The row as the pure domain knows it; a penalty still open counts as none."""
        owner = str(self.belongs_to_id)
        return Formula(
            id=str(self.id),
            type=self.type,
            target=owner if self.belongs_to_type == "zone" else self.target,
            race_class=owner if self.belongs_to_type == "class" else "",
            offence_min=self.offence_min,
            offence_max=self.offence_max,
            penalty_ms=round((self.penalty or 0) * 1000),
            mode=self.bracket_mode,
            applies_to=frozenset(self.applies_to),
            article=self.article,
            params=self.params,
        )

    def clean(self) -> None:
        """Refuses a rule that no evaluator can compute, naming what is wrong with it."""
        wrong = [about(field, reason) for field, reason in problems(self.as_formula())]
        if wrong:
            raise ValidationError([told(one, gettext) for one in wrong])
        self.refuse_backwards()

    def concerned_stages(self) -> models.QuerySet[Stage]:
        """That of its zone, else all of the event."""
        if self.belongs_to_type == "zone":
            return Stage.objects.filter(segments__speed_limit_zones=self.belongs_to_id)
        return Stage.objects.filter(event=self.event_id)


class EntryIncident(Row):
    """Evidence: what an official saw and reported, e.g. a false start. Kept for ever; it can be withdrawn."""

    entry = models.ForeignKey(Entry, models.RESTRICT, related_name="incidents")
    stage = models.ForeignKey(Stage, models.RESTRICT, related_name="incidents")
    kind = models.SlugField(_("kind"), max_length=40, help_text=_("What penalty formulas name as their target."))
    at = models.DateTimeField(_("time"))
    value_ms = models.PositiveIntegerField(_("measured, ms"), default=0, help_text=_("E.g. the time gained."))
    note = models.TextField(_("note"), blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, related_name="reported_incidents")
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    withdrawn_reason = models.TextField(_("why it was withdrawn"), blank=True)

    class Meta:
        db_table = "entry_incidents"
        ordering = ("at",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True) | ~models.Q(withdrawn_reason=""),
                name="entry_incidents_withdrawal_reasoned",
            )
        ]

    def __str__(self) -> str:
        return f"{self.entry} {code_in_words(self.kind)} {self.at:%H:%M:%S}"


class Decision(Row):
    """What an official decided: an overlay on readings, numbered within the event, kept through every recompute.

    It holds for one entry, for a class, or for all; in one stage, or in the event. `params` are what the kind
    needs (`apps.penalties.domain.decisions`). It is never edited: it is revoked, and another one made.
    """

    event = models.ForeignKey(Event, models.RESTRICT, related_name="decisions")
    number = models.PositiveIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=24, choices=decision_choices)
    entry = models.ForeignKey(Entry, models.RESTRICT, null=True, blank=True, related_name="decisions")
    race_class = models.ForeignKey(RaceClass, models.RESTRICT, null=True, blank=True, related_name="decisions")
    stage = models.ForeignKey(Stage, models.RESTRICT, null=True, blank=True, related_name="decisions")
    params = models.JSONField(_("what was decided"), default=dict)
    article = models.CharField(_("article"), max_length=200, blank=True)
    document = models.CharField(_("document"), max_length=80, blank=True, help_text=_("Number of the paper."))
    reason = models.TextField(_("reason"))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, related_name="decisions")
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.RESTRICT, null=True, blank=True, related_name="revoked_decisions"
    )
    revoked_reason = models.TextField(_("why it was revoked"), blank=True)

    class Meta:
        db_table = "decisions"
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(fields=("event", "number"), name="decisions_number_once"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="decisions_reasoned"),
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True, revoked_by__isnull=True, revoked_reason="")
                | models.Q(revoked_at__isnull=False, revoked_by__isnull=False) & ~models.Q(revoked_reason=""),
                name="decisions_revocation_signed",
            ),
        ]

    def __str__(self) -> str:
        return gettext("No. %(number)s: %(kind)s") % {"number": self.number, "kind": self.get_kind_display()}

    def clean(self) -> None:
        """Refuses a decision that scoring could not follow, naming the field."""
        wrong = decisions.problems(self.kind, self.params)
        if wrong:
            raise ValidationError({"params": [told(one, gettext) for one in wrong]})
        for name in ("entry", "race_class", "stage"):
            row = getattr(self, name)
            if row is not None and row.event_id != self.event_id:
                raise ValidationError({name: _("It belongs to another event.")})
        if self.kind in decisions.OF_ONE_ENTRY and self.entry is None:
            raise ValidationError({"entry": _("A decision of this kind is about one entry.")})
        if self.kind in decisions.OF_ONE_STAGE and self.stage is None:
            raise ValidationError({"stage": _("A decision of this kind is about one stage.")})
        if stray := list(stray_params(self.params, self.event_id, self.stage)):
            raise ValidationError({"params": stray})


class PenaltyStatus(models.TextChoices):
    PROPOSED = "proposed", _("proposed")
    CONFIRMED = "confirmed", _("confirmed")
    WAIVED = "waived", _("waived")
    IMPOSED = "imposed", _("imposed")


class EntryPenalty(Row):
    """A reading: a penalty an entry has in a stage, replaced by every recompute.

    `key` names the offence (evaluator and target): decisions hold on to it. Formula and inputs are frozen as they
    were. Status, author and reason are those of the `decision` on it; without one it is proposed.
    """

    entry = models.ForeignKey(Entry, models.RESTRICT, related_name="penalties")
    stage = models.ForeignKey(Stage, models.RESTRICT, related_name="penalties")
    key = models.CharField(_("offence"), max_length=200)
    type = models.CharField(_("evaluator"), max_length=40)
    formula = models.ForeignKey(PenaltyFormula, models.SET_NULL, null=True, blank=True, related_name="issued")
    formula_snapshot = models.JSONField(_("formula as it was"), default=dict)
    inputs = models.JSONField(_("inputs"), default=dict)
    seconds = models.DecimalField(_("seconds"), max_digits=10, decimal_places=3)
    applies_to = ArrayField(models.CharField(max_length=12, choices=AppliesTo.choices), default=everything)
    status = models.CharField(_("status"), max_length=12, choices=PenaltyStatus.choices, default=PenaltyStatus.PROPOSED)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.RESTRICT, null=True, blank=True, related_name="decided_penalties"
    )
    reason = models.TextField(_("reason"), blank=True)
    decision = models.ForeignKey(Decision, models.RESTRICT, null=True, blank=True, related_name="penalties")
    article = models.CharField(_("article"), max_length=200, blank=True)

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
        return f"{self.entry} {offence_in_words(self.key)}: {as_duration(round(self.seconds * 1000))}"

    def get_absolute_url(self) -> str:
        """The page that explains it."""
        return reverse("scoring:penalty", args=[self.pk])
