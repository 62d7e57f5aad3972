"""Rules as rows of an event, and rows as rules: classes by code, zones by their place on the course."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from apps.common.said import Said, about
from apps.course.models import SpeedLimitZone
from apps.events.models import Event, RaceClass
from apps.penalties.domain.formulas import clock
from apps.penalties.models import PenaltyFormula
from apps.penalties.profiles.schema import Rule, RulesError, penalty_ms

OWNERS = {"class": Said("class"), "zone": Said("zone")}


@dataclass(frozen=True, slots=True)
class Owners:
    """The names of an event's classes and zones."""

    classes: Mapping[str, UUID]
    zones: Mapping[str, UUID]

    def wrong(self, rules: Sequence[Rule]) -> Iterator[Said]:
        """Names that the event does not have, each with its rule."""
        for rule in rules:
            for field, name, known in (("race_class", rule.race_class, self.classes), ("zone", rule.zone, self.zones)):
                if name and name not in known:
                    has = ", ".join(known) or Said("none")
                    text = Said("the event has no %(given)s; it has %(known)s", given=repr(name), known=has)
                    yield about(rule, about(field, text))

    def owner(self, rule: Rule) -> tuple[str, UUID | None]:
        """(belongs_to_type, belongs_to_id)"""
        if rule.race_class:
            return "class", self.classes[rule.race_class]
        return ("zone", self.zones[rule.zone]) if rule.zone else ("", None)

    def name(self, row: PenaltyFormula) -> str:
        """The name of the row's class or zone. RulesError when it is gone."""
        if not row.belongs_to_type:
            return ""
        names = self.classes if row.belongs_to_type == "class" else self.zones
        found = next((name for name, id_ in names.items() if id_ == row.belongs_to_id), None)
        if found is None:
            text = Said("its %(owner)s is not in the event any more", owner=OWNERS[row.belongs_to_type])
            raise RulesError([about(row, text)])
        return found


def owners(event: Event) -> Owners:
    """The classes of an event by code, its speed zones by "stage/segment/zone", numbered where two are called alike."""
    classes = {row.code: row.id for row in RaceClass.objects.filter(event=event)}
    found = SpeedLimitZone.objects.filter(segment__stage__event=event).select_related("segment__stage")
    zones: dict[str, UUID] = {}
    seen: Counter[str] = Counter()
    for zone in sorted(found, key=lambda zone: (zone.created_at, zone.id)):
        name = f"{zone.segment.stage.sort_order}/{zone.segment.sort_order}/{zone}"
        seen[name] += 1
        zones[name if seen[name] == 1 else f"{name} ({seen[name]})"] = zone.id
    return Owners(classes, zones)


def rule_of(row: PenaltyFormula, names: Owners) -> Rule:
    """The row as a rule of a file."""
    owner = names.name(row)
    values = {
        "type": row.type,
        "target": "" if row.belongs_to_type == "zone" else row.target,
        "race_class": owner if row.belongs_to_type == "class" else "",
        "zone": owner if row.belongs_to_type == "zone" else "",
        "offence_min": row.offence_min,
        "offence_max": row.offence_max,
        "penalty": None if row.penalty is None else clock(round(row.penalty * 1000)),
        "mode": row.bracket_mode,
        "applies_to": row.applies_to,
        "params": row.params,
        "article": row.article,
        "grade": row.grade,
        "source": row.source,
        "retroactive": row.retroactive,
        "enabled": row.enabled,
    }
    return msgspec.convert(values, Rule)


def columns_of(rule: Rule, names: Owners) -> dict[str, Any]:
    """The rule as columns of `PenaltyFormula`, without the event."""
    kind, owner = names.owner(rule)
    ms = penalty_ms(rule.penalty)
    return {
        "type": rule.type,
        "target": rule.target,
        "belongs_to_type": kind,
        "belongs_to_id": owner,
        "offence_min": rule.offence_min,
        "offence_max": rule.offence_max,
        "penalty": None if ms is None else ms / 1000,
        "bracket_mode": rule.mode,
        "applies_to": rule.applies_to,
        "params": rule.params,
        "article": rule.article,
        "grade": rule.grade,
        "source": rule.source,
        "retroactive": rule.retroactive,
        "enabled": rule.enabled,
    }
