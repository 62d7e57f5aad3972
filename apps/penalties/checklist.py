"""What of an event's rules is still open: the checklist of rulebook §11, and what the database itself can tell."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.common.said import about, told
from apps.course.models import Segment, SegmentType, SpeedLimitZone, Stage, Waypoint
from apps.events.models import Event
from apps.penalties.domain.registry import problems
from apps.penalties.models import PenaltyFormula, RuleAnswer
from apps.penalties.profiles.questions import QUESTIONS
from apps.penalties.words import code_in_words, type_in_words
from apps.timing.domain.plan import COUNTED_WAYPOINTS

# Which item of the checklist a rule belongs to.
ITEM_OF = {
    "missed_waypoint": "waypoint_penalties",
    "waypoint_ratio": "waypoint_penalties",
    "speed_zone": "speed",
    "time_control": "time_controls",
    "closed_control": "time_controls",
    "late_start": "time_controls",
    "cumulative_lateness": "time_controls",
    "false_start": "time_controls",
    "maximum_time": "maximum_times",
    "dnf_lump": "lumps",
    "dns_lump": "lumps",
    "fixed_penalty": "lumps",
    "neutralisation": "neutralisation",
    "incident": "applies_to",
}
NUMBERS = {key: number for number, key in enumerate(QUESTIONS, start=1)}


@dataclass(frozen=True, slots=True)
class OpenSetting:
    """A sentence about something open, the item of the checklist it belongs to, and the page where it is settled.

    While one is `blocking`, nothing may be published: a result would lack penalties that the rules call for.
    """

    key: str
    sentence: str
    link: str
    blocking: bool = False

    @property
    def number(self) -> int:
        """The item's number in rulebook §11."""
        return NUMBERS[self.key]


def open_settings(event: Event) -> list[OpenSetting]:
    """All that is open, what blocks first, then by item of the checklist."""
    formulas = list(PenaltyFormula.objects.filter(event=event, enabled=True))
    found = [*_of_formulas(formulas), *_of_course(event, formulas), *_of_answers(event)]
    return sorted(found, key=lambda one: (not one.blocking, one.number))


def blocking_settings(event: Event) -> list[OpenSetting]:
    """What forbids publishing: rules in force without a value, or which no evaluator can compute."""
    return list(_of_formulas(PenaltyFormula.objects.filter(event=event, enabled=True)))


def _of_formulas(formulas: Iterable[PenaltyFormula]) -> Iterator[OpenSetting]:
    for row in formulas:
        link = reverse("admin:penalties_penaltyformula_change", args=[row.pk])
        if row.penalty is None:
            sentence = _("%(rule)s: the rule is in force and has no value yet.") % {"rule": _named(row)}
            yield OpenSetting(_item(row.type), sentence, link, blocking=True)
        for field, reason in problems(row.as_formula()):
            why = told(about(field, reason), _)
            sentence = _("%(rule)s cannot be computed: %(reason)s.") % {"rule": _named(row), "reason": why}
            yield OpenSetting(_item(row.type), sentence, link, blocking=True)


def _named(row: PenaltyFormula) -> str:
    return " ".join(part for part in (type_in_words(row.type), code_in_words(row.target), row.bracket) if part)


def _item(type_: str) -> str:
    return ITEM_OF.get(type_, "applies_to")


def _of_course(event: Event, formulas: Sequence[PenaltyFormula]) -> Iterator[OpenSetting]:
    types = {row.type for row in formulas}
    yield from _unpriced_waypoints(event, formulas)
    if "speed_zone" not in types and SpeedLimitZone.objects.filter(segment__stage__event=event).exists():
        yield _about_rules(event, "speed", _("There are speed zones on the course, and no rule prices speeding."))
    for type_, sentence in (
        ("dnf_lump", _("No rule says what a stage not finished costs.")),
        ("dns_lump", _("No rule says what a stage not started costs.")),
    ):
        if type_ not in types:
            yield _about_rules(event, "lumps", sentence)
    yield from _of_segments(event, types)
    yield from _of_allotments(event)


def _unpriced_waypoints(event: Event, formulas: Sequence[PenaltyFormula]) -> Iterator[OpenSetting]:
    priced = {row.target for row in formulas if row.type == "missed_waypoint"}
    counted = Waypoint.objects.filter(segment__stage__event=event, type__in=COUNTED_WAYPOINTS)
    missing = sorted(set(counted.values_list("type", flat=True)) - priced)
    if missing and "" not in priced:
        sentence = _("On the course are %(types)s, and no rule prices missing them.") % {"types": ", ".join(missing)}
        yield _about_rules(event, "waypoint_penalties", sentence)


def _of_segments(event: Event, types: set[str]) -> Iterator[OpenSetting]:
    for segment in Segment.objects.filter(stage__event=event).select_related("stage"):
        link = reverse("admin:course_segment_change", args=[segment.pk])
        name = {"segment": f"{segment.stage}, {segment}"}
        if segment.type == SegmentType.SPECIAL_STAGE and segment.maximum_duration_seconds is None:
            yield OpenSetting("maximum_times", _("%(segment)s has no maximum time.") % name, link)
        if segment.type == SegmentType.NEUTRALISATION and not segment.neutralised_seconds:
            yield OpenSetting("neutralisation", _("%(segment)s has no time allotted.") % name, link)
        if segment.type == SegmentType.NEUTRALISATION and "neutralisation" not in types:
            yield OpenSetting("neutralisation", _("No rule prices leaving %(segment)s early.") % name, link)
        if segment.type == SegmentType.LIAISON and segment.target_duration_seconds and "time_control" not in types:
            yield OpenSetting("time_controls", _("%(segment)s has a target time, and no rule prices it.") % name, link)


def _of_allotments(event: Event) -> Iterator[OpenSetting]:
    """What its neutralisations allot is taken off a special stage only where the special stage says so (8.1)."""
    for stage in Stage.objects.filter(event=event).prefetch_related("segments"):
        parts = list(stage.segments.all())
        allotted = sum(_allotted(part) for part in parts if part.type == SegmentType.NEUTRALISATION)
        taken_off = sum(part.neutralised_seconds for part in parts if part.type == SegmentType.SPECIAL_STAGE)
        if allotted and allotted != taken_off:
            facts = {"stage": stage, "allotted": allotted, "taken": taken_off}
            sentence = _(
                "%(stage)s: neutralisations of %(allotted)d s, and %(taken)d s are taken off its special stages."
            )
            link = reverse("admin:course_stage_change", args=[stage.pk])
            yield OpenSetting("neutralisation", sentence % facts, link)


def _allotted(part: Segment) -> int:
    return part.neutralised_seconds or part.target_duration_seconds or 0


def _about_rules(event: Event, key: str, sentence: str) -> OpenSetting:
    return OpenSetting(
        key, sentence, f"{reverse('admin:penalties_penaltyformula_changelist')}?event__id__exact={event.pk}"
    )


def _of_answers(event: Event) -> Iterator[OpenSetting]:
    answers = {row.key: row for row in RuleAnswer.objects.filter(event=event)}
    for key, text in QUESTIONS.items():
        row = answers.get(key)
        if row is None or not (row.answer or row.still_open):
            link = f"{reverse('admin:penalties_ruleanswer_add')}?event={event.pk}&key={key}"
            yield OpenSetting(key, _("Not answered: %(item)s") % {"item": text}, link)
        elif row.still_open:
            link = reverse("admin:penalties_ruleanswer_change", args=[row.pk])
            yield OpenSetting(key, _("Still open: %(what)s") % {"what": row.still_open}, link)
