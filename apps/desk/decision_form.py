"""A form for each kind of decision, made of the parameters the kind needs (`apps.penalties.domain.decisions`)."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.audit import because
from apps.common.durations import as_duration
from apps.course.models import Stage
from apps.desk.domain import clock
from apps.desk.place import Place
from apps.desk.road import spots
from apps.events.models import Entry, RaceClass
from apps.penalties.domain.decisions import KINDS, OF_ONE_ENTRY, SCOPES, STATUSES
from apps.penalties.models import AppliesTo, Decision, EntryPenalty
from apps.penalties.words import offence_in_words
from apps.scoring.decisions import Draft, decide
from apps.scoring.inputs import milliseconds
from apps.scoring.models import ResultStatus

# Faulty fixes have a page of their own, which shows them.
MADE_HERE = tuple(kind for kind in KINDS if kind != "faulty_fixes")

LABELS: dict[str, Any] = {
    "key": gettext_lazy("Penalty"),
    "ms": gettext_lazy("Time"),
    "metres": gettext_lazy("Metres led"),
    "ms_per_km": gettext_lazy("Time per km"),
    "status": gettext_lazy("Status"),
    "segment": gettext_lazy("Segment"),
    "control": gettext_lazy("Control"),
    "from_control": gettext_lazy("From control"),
    "to_control": gettext_lazy("To control"),
    "ts": gettext_lazy("Time of day"),
    "applies_to": gettext_lazy("Counts for"),
}


class DurationField(forms.CharField):
    """A duration as typed, cleaned to ms."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return clock.read_duration(text)
        except ValueError as error:
            raise ValidationError(_("This is no duration; type 90, 1:30 or 1:02:03.")) from error


class ClockField(forms.CharField):
    """A time of day as typed, cleaned to epoch ms nearest to `around`; None when left empty."""

    around: int = 0

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return clock.nearest(clock.read(text), self.around, timezone.get_current_timezone())
        except ValueError as error:
            raise ValidationError(_("This is no time; type 10:23:45.6 or 102345.")) from error


class DecisionForm(forms.Form):
    """What a kind of decision needs; `draft()` is the decision once the form is valid."""

    number = forms.IntegerField(label=gettext_lazy("Race number"), min_value=0)
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=2000, widget=forms.Textarea({"rows": 2}))
    article = forms.CharField(
        label=gettext_lazy("Article"), required=False, max_length=200, help_text=gettext_lazy("Of the regulations.")
    )
    document = forms.CharField(
        label=gettext_lazy("Document"), required=False, max_length=80, help_text=gettext_lazy("Number of the paper.")
    )

    def __init__(self, kind: str, stage: Stage, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.kind, self.stage, self.use_required_attribute = kind, stage, True
        if kind not in OF_ONE_ENTRY:
            self.fields["number"] = forms.IntegerField(
                label=_("Race number"), required=False, help_text=_("Empty = for every entry.")
            )
            classes = RaceClass.objects.filter(event=stage.event_id)
            self.fields["race_class"] = forms.ModelChoiceField(classes, label=_("Class"), required=False)
        parameters = {name: self._field(name, type_) for name, type_ in KINDS[kind].parameters.items()}
        late = {name: self.fields.pop(name) for name in ("reason", "article", "document")}
        self.fields |= parameters | late

    def clean_number(self) -> int | None:
        number: int | None = self.cleaned_data["number"]
        if number is not None and not Entry.objects.filter(event=self.stage.event_id, race_number=number).exists():
            raise ValidationError(_("There is no entry %(number)s."), params={"number": number})
        return number

    def draft(self) -> Draft:
        """The decision as the service takes it."""
        data = self.cleaned_data
        number = data.get("number")
        entry = None if number is None else Entry.objects.get(event=self.stage.event_id, race_number=number)
        params = {name: data[name] for name in KINDS[self.kind].parameters if data.get(name) not in (None, "", [])}
        return Draft(
            event=self.stage.event,
            kind=self.kind,
            params=params,
            reason=data["reason"].strip(),
            entry=entry,
            race_class=data.get("race_class"),
            stage=self.stage,
            article=data["article"],
            document=data["document"],
        )

    def sentence(self) -> str:
        """What will happen, for the page that asks once more."""
        number = self.cleaned_data.get("number")
        who = _("No. %d") % number if number is not None else _("every entry")
        told = "; ".join(f"{LABELS.get(n, n)}: {self._shown(n)}" for n in KINDS[self.kind].parameters if self._shown(n))
        words = {"kind": _(KINDS[self.kind].title), "who": who, "stage": self.stage.name, "what": told}
        return _("%(who)s, %(stage)s: %(kind)s. %(what)s.") % words

    def _shown(self, name: str) -> str:
        value = self.cleaned_data.get(name)
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField) and not isinstance(value, list):
            return str(dict(_flat(field.choices)).get(value, value or ""))
        if isinstance(field, DurationField) and value is not None:
            return as_duration(value)
        return str(self.data.get(name, "") if isinstance(field, ClockField) else value or "")

    def _field(self, name: str, type_: str) -> forms.Field:
        label = LABELS.get(name, name)
        if type_ == "duration":
            return DurationField(label=label, max_length=12, help_text=_("1:30 or 0:15:00; a plain number is seconds."))
        if type_ == "metres":
            return forms.IntegerField(label=label, min_value=0, max_value=10_000_000)
        if type_ == "instant":
            field = ClockField(label=label, max_length=12, help_text=_("10:23:45.6 or 102345."))
            field.around = milliseconds(self.stage.starts_at) + 6 * 3_600_000
            return field
        if type_ == "status":
            words = dict(ResultStatus.choices)
            return forms.ChoiceField(label=label, choices=[(one, f"{one.upper()}: {words[one]}") for one in STATUSES])
        if type_.startswith("scopes"):
            return forms.MultipleChoiceField(
                label=label, choices=[one for one in AppliesTo.choices if one[0] in SCOPES], required=False,
                widget=forms.CheckboxSelectMultiple, help_text=_("None chosen = all of them."),
            )  # fmt: skip
        return forms.ChoiceField(label=label, choices=_choices(name, self.stage))


def _choices(name: str, stage: Stage) -> list[Any]:
    if name == "segment":
        return [(str(one.pk), str(one)) for one in stage.segments.all()]
    if name == "key":
        rows = EntryPenalty.objects.filter(stage=stage).select_related("entry").order_by("entry__race_number")
        return [(row.key, f"{row.entry.race_number}: {offence_in_words(row.key)} {row.seconds:g} s") for row in rows]
    return [(spot.id, f"{spot.segment}: {spot.name}") for spot in spots(stage)]


def _flat(choices: Any) -> list[tuple[Any, Any]]:
    return [(value, label) for value, label in choices]


def make(place: Place, form: DecisionForm) -> Decision:
    """Record the decision. Raises ValidationError."""
    draft = form.draft()
    with because(draft.reason):
        return decide(draft, place.user)
