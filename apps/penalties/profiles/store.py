"""Services: an event's rules as a profile, and a profile as an event's rules."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import User
from apps.common.said import Said, about
from apps.course.models import Segment
from apps.course.retroactive import begun_stages
from apps.events.models import Event
from apps.penalties.models import PenaltyFormula, ProfileUse, RuleAnswer
from apps.penalties.profiles.merging import Change, differences, merged, paired
from apps.penalties.profiles.questions import QUESTIONS
from apps.penalties.profiles.rows import Owners, columns_of, owners, rule_of
from apps.penalties.profiles.schema import (
    EventSettings,
    Given,
    Profile,
    Question,
    Rule,
    RulesError,
    canonical,
    plain,
)
from apps.penalties.queries import official_revisions

OF_EVENT = tuple(name for name in EventSettings.__struct_fields__ if name != "rounding_ms")


@dataclass(frozen=True, slots=True)
class Wish:
    """How to apply a profile: merged or in place of all rules; by whom; `reason` forces it over official results."""

    replace: bool = False
    author: User | None = None
    reason: str = ""
    dry_run: bool = False


def export_rules(event: Event) -> Profile:
    """The event's rules as they are now, as a profile. RulesError for a rule of a class or zone that is gone."""
    event = Event.objects.get(pk=event.pk)
    used = _last_use(event)
    names = owners(event)
    rows = PenaltyFormula.objects.filter(event=event)
    answers = RuleAnswer.objects.filter(event=event, key__in=QUESTIONS)
    now = msgspec.structs.replace(
        used,
        settings=_settings_now(event, used.settings),
        formulas=[rule_of(row, names) for row in rows],
        questions={row.key: Question(row.answer, row.still_open) for row in answers},
    )
    return canonical(now)


@transaction.atomic
def apply_rules(event: Event, given: Profile, wish: Wish) -> list[Change]:
    """Make a profile the event's rules: all of it or, with RulesError, nothing. Returns what changed.

    The rows are the event's own from then on. Refused while results are official, unless a reason is given.
    """
    event = Event.objects.select_for_update().get(pk=event.pk)
    names = owners(event)
    wrong = list(names.wrong(given.formulas))
    if wrong:
        raise RulesError(wrong)
    current = export_rules(event)
    wanted = merged(current, given, replace=wish.replace)
    changes = differences(current, wanted)
    if wish.dry_run:
        return changes
    official = official_revisions(event.pk) if changes else []
    if official and not wish.reason.strip():
        text = Said("results are official: %(which)s; give a reason to change the rules", which=", ".join(official))
        raise RulesError([text])
    _write(event, current, wanted, wish)
    return changes


def _write(event: Event, current: Profile, wanted: Profile, wish: Wish) -> None:
    _write_formulas(event, wanted.formulas)
    _write_settings(event, wanted.settings)
    _write_answers(event, current, wanted, wish)
    ProfileUse.objects.create(
        event=event,
        name=wanted.name,
        version=wanted.version,
        document=plain(wanted),
        author=wish.author,
        reason=wish.reason,
    )


def _write_formulas(event: Event, wanted: list[Rule]) -> None:
    """Rows that stay keep their ids, which issued penalties hold on to; unchanged ones are not written at all."""
    names = owners(event)
    rows = list(PenaltyFormula.objects.filter(event=event))
    now = [canonical_rule(row, names) for row in rows]
    pairs = paired(now, wanted)
    removed = [rows[index] for index in pairs.removed]
    written = [_changed(rows[index], columns_of(rule, names)) for index, rule in pairs.kept if now[index] != rule]
    written += [PenaltyFormula(event=event, **columns_of(rule, names)) for rule in pairs.added]
    _refuse_backwards(removed, written)
    PenaltyFormula.objects.filter(id__in=[row.id for row in removed]).delete()
    for row in written:
        row.save()


def _refuse_backwards(removed: list[PenaltyFormula], written: list[PenaltyFormula]) -> None:
    """Raises RulesError naming every rule that is not retroactive, where a stage it concerns has begun."""
    wrong = [_begun(row, stages) for row in removed if (stages := begun_stages(row))]
    for row in written:
        try:
            row.refuse_backwards()
        except ValidationError as error:
            wrong += [about(row, text) for text in error.messages]
    if wrong:
        raise RulesError(wrong)


def _begun(row: PenaltyFormula, stages: str) -> Said:
    return about(row, Said("not retroactive, and begun: %(stages)s", stages=stages))


def _changed(row: PenaltyFormula, columns: dict[str, Any]) -> PenaltyFormula:
    for name, value in columns.items():
        setattr(row, name, value)
    return row


def canonical_rule(row: PenaltyFormula, names: Owners) -> Rule:
    """The row as `export_rules` gives it."""
    rule = rule_of(row, names)
    return msgspec.structs.replace(rule, applies_to=sorted(set(rule.applies_to)))


def _change(row: Any, columns: dict[str, Any]) -> None:
    for name, value in columns.items():
        setattr(row, name, value)
    row.save()


def _write_settings(event: Event, wanted: EventSettings) -> None:
    told = {name: given.value for name in OF_EVENT if (given := getattr(wanted, name)) is not None}
    if any(getattr(event, name) != value for name, value in told.items()):
        _change(event, told)
    if wanted.rounding_ms is not None:
        segments = Segment.objects.filter(stage__event=event)
        segments.exclude(rounding_ms=wanted.rounding_ms.value).update(rounding_ms=wanted.rounding_ms.value)


def _write_answers(event: Event, current: Profile, wanted: Profile, wish: Wish) -> None:
    RuleAnswer.objects.filter(event=event).exclude(key__in=wanted.questions).delete()
    now = datetime.now(UTC)
    for key, question in wanted.questions.items():
        if current.questions.get(key) != question:
            RuleAnswer.objects.update_or_create(
                event=event,
                key=key,
                defaults={
                    "answer": question.answer,
                    "still_open": question.open,
                    "answered_by": wish.author,
                    "answered_at": now,
                },
            )


def _last_use(event: Event) -> Profile:
    """The profile the event got last; without one an empty profile named after the event."""
    used = ProfileUse.objects.filter(event=event).first()
    if used is not None:
        return msgspec.convert(used.document, Profile)
    name = re.sub(r"[^a-z0-9]+", "-", event.slug.lower()).strip("-")[:80]
    return Profile(name=name or "event", version="1", title=event.name)


def _settings_now(event: Event, told: EventSettings) -> EventSettings:
    """The event's settings; evidence only for those that are still as the profile had them."""
    values = {name: getattr(event, name) for name in OF_EVENT}
    roundings = set(Segment.objects.filter(stage__event=event).values_list("rounding_ms", flat=True))
    found = {name: _given(value, getattr(told, name)) for name, value in values.items()}
    rounding = told.rounding_ms
    if roundings:
        rounding = _given(roundings.pop(), told.rounding_ms) if len(roundings) == 1 else None
    return EventSettings(**found, rounding_ms=rounding)


def _given(value: Any, told: Given[Any] | None) -> Given[Any]:
    return told if told is not None and told.value == value else Given(value)
