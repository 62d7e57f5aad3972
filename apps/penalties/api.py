"""Rules, answers to the checklist, incidents and issued penalties over REST."""

from typing import Any

from django.utils import timezone

from apps.penalties.models import EntryIncident, EntryPenalty, PenaltyFormula, ProfileUse, RuleAnswer
from apps.rest import writing
from apps.rest.views import ReadOnlyResource, ResourceViewSet

# What the evidence of a profile's rule vouches for.
VOUCHED = frozenset({"type", "target", "offence_min", "offence_max", "penalty", "bracket_mode", "params"})


class PenaltyFormulas(ResourceViewSet):
    model = PenaltyFormula
    order = ("type", "target", "offence_min")
    search = ("type", "target", "article")
    example_change = {"penalty": 300, "article": "13.4"}

    def change(self, row: PenaltyFormula, values: dict[str, Any]) -> None:
        """An edited value is the event's own: the profile's evidence no longer vouches for it, unless told anew."""
        differs = any(getattr(row, name) != value for name, value in values.items() if name in VOUCHED)
        anew = {"grade": "", "source": ""} if differs and not {"grade", "source"} & values.keys() else {}
        super().change(row, values | anew)


class ProfileUses(ReadOnlyResource):
    model = ProfileUse
    order = ("-created_at",)
    heavy = frozenset({"document"})


class RuleAnswers(ResourceViewSet):
    """Whoever saves an answer has given it."""

    model = RuleAnswer
    order = ("event", "key")
    read_only = frozenset({"answered_by", "answered_at"})
    example_change = {"answer": "The organiser's regulation, article 13"}

    def make(self, values: dict[str, Any]) -> RuleAnswer:
        row: RuleAnswer = super().make(values | self._signed())
        return row

    def change(self, row: RuleAnswer, values: dict[str, Any]) -> None:
        super().change(row, values | self._signed() if values else values)

    def _signed(self) -> dict[str, Any]:
        return {"answered_by": writing.person(self.user), "answered_at": timezone.now()}


class EntryIncidents(ResourceViewSet):
    """Evidence: it is withdrawn, never deleted. Who reports it is its author."""

    model = EntryIncident
    order = ("-at",)
    search = ("kind", "note")
    expand = ("entry", "stage")
    read_only = frozenset({"author"})
    example_change = {"withdrawn_at": "2026-06-07T09:00:00Z", "withdrawn_reason": "It was another crew"}
    http_method_names = ["get", "post", "patch", "head", "options"]

    def make(self, values: dict[str, Any]) -> EntryIncident:
        row: EntryIncident = super().make(values | {"author": writing.person(self.user)})
        return row


class EntryPenalties(ReadOnlyResource):
    """Readings of the scorer; decisions on them are made at `decisions`."""

    model = EntryPenalty
    order = ("created_at",)
    expand = ("entry", "stage", "formula")
    heavy = frozenset({"formula_snapshot"})
    example_answer = {"type": "speeding", "status": "confirmed", "reason": ""}


RESOURCES = {
    "penalty_formulas": PenaltyFormulas,
    "profile_uses": ProfileUses,
    "rule_answers": RuleAnswers,
    "entry_incidents": EntryIncidents,
    "entry_penalties": EntryPenalties,
}
