"""Profiles in events: applied whole or not at all, exported exactly, never over official results unasked."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.factories import UserFactory
from apps.course.factories import SegmentFactory, SpeedLimitZoneFactory, StageFactory
from apps.events.factories import EventFactory, RaceClassFactory
from apps.events.models import Event
from apps.penalties.factories import EntryPenaltyFactory, PenaltyFormulaFactory
from apps.penalties.models import EntryPenalty, PenaltyFormula, ProfileUse, RuleAnswer
from apps.penalties.profiles.files import dumps, load_shipped, loads
from apps.penalties.profiles.schema import Profile, RulesError, parse
from apps.penalties.profiles.store import Wish, apply_rules, export_rules
from apps.penalties.tests.profiles.published import publish
from apps.penalties.tests.profiles.random_rules import profiles
from apps.penalties.tests.profiles.test_files import MISSED, of

pytestmark = pytest.mark.django_db
REPLACE = Wish(replace=True)


@pytest.fixture
def rally() -> Event:
    """An event to come with the classes, the segment and the zone that random rules name."""
    event = EventFactory()
    for code in ("M-1", "no"):
        RaceClassFactory(event=event, code=code)
    stage = StageFactory(event=event, sort_order=1, starts_at=timezone.now() + timedelta(days=1))
    SpeedLimitZoneFactory(segment=SegmentFactory(stage=stage, sort_order=1), name="Z")
    return event


def speeds(event: Event) -> dict[float, float | None]:
    rows = PenaltyFormula.objects.filter(event=event, type="speed_zone")
    return {row.offence_min: row.penalty for row in rows}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(profile=profiles(), suffix=st.sampled_from([".yaml", ".json"]))
def test_what_is_exported_is_imported_exactly(rally: Event, profile: Profile, suffix: str) -> None:
    """The law of import and export: rules as given, and nothing left to change when a file comes back."""
    apply_rules(rally, profile, REPLACE)
    out = export_rules(rally)
    assert (out.formulas, out.questions, out.waypoints) == (profile.formulas, profile.questions, profile.waypoints)
    again = loads(dumps(out, suffix), suffix)
    assert again == out
    assert apply_rules(rally, again, REPLACE) == []
    PenaltyFormula.objects.filter(event=rally).delete()
    apply_rules(rally, again, REPLACE)
    assert export_rules(rally) == out


def test_merging_replaces_whole_tables_and_leaves_the_others(rally: Event) -> None:
    """Brackets of two regulations are never mixed, and what the file does not name stays."""
    apply_rules(rally, load_shipped("fim-2022"), Wish())
    mine = of({"type": "speed_zone", "penalty": 30, "offence_min": 1}, {**MISSED, "race_class": "M-1"})
    changes = apply_rules(rally, parse(mine), Wish())
    assert speeds(rally) == {1: 30}
    assert sorted(change.kind for change in changes) == ["added", "changed", "removed", "removed"]
    assert PenaltyFormula.objects.filter(event=rally, type="dnf_lump").exists()
    assert PenaltyFormula.objects.filter(event=rally, type="missed_waypoint").count() == 2
    assert RuleAnswer.objects.filter(event=rally).count() == 14


def test_replacing_leaves_only_the_file(rally: Event) -> None:
    apply_rules(rally, load_shipped("fim-2025"), Wish())
    apply_rules(rally, load_shipped("serres"), REPLACE)
    assert export_rules(rally).formulas == load_shipped("serres").formulas
    rally.refresh_from_db()
    assert rally.complete_first


def test_from_fim_2022_to_2023_one_row_changes_and_keeps_its_id(rally: Event) -> None:
    """Issued penalties hold on to the rows; the 6 min above 40 km/h become 3."""
    apply_rules(rally, load_shipped("fim-2022"), Wish())
    row = PenaltyFormula.objects.get(event=rally, offence_min=41)
    issued = EntryPenaltyFactory(formula=row)
    apply_rules(rally, load_shipped("fim-2023"), Wish())
    row.refresh_from_db()
    assert (row.penalty, row.source, speeds(rally)) == (180, "FIM23", {1: 60, 21: 120, 41: 180})
    assert EntryPenalty.objects.get(pk=issued.pk).formula_id == row.pk


def test_a_dry_run_says_the_same_and_writes_nothing(rally: Event) -> None:
    said = apply_rules(rally, load_shipped("serres"), Wish(dry_run=True))
    assert not PenaltyFormula.objects.filter(event=rally).exists() and not ProfileUse.objects.exists()
    assert apply_rules(rally, load_shipped("serres"), Wish()) == said
    assert str(said[0]) == "rule: dnf_lump 0-∞: open"


def test_an_unknown_class_or_zone_is_refused_whole(rally: Event) -> None:
    wrong = of(MISSED, {**MISSED, "race_class": "M-9"}, {"type": "speed_zone", "penalty": 1, "zone": "9/9/X"})
    with pytest.raises(RulesError) as caught:
        apply_rules(rally, parse(wrong), Wish())
    assert "race_class: the event has no 'M-9'; it has M-1, no" in str(caught.value)
    assert "zone: the event has no '9/9/X'; it has 1/1/Z" in str(caught.value)
    assert not PenaltyFormula.objects.filter(event=rally).exists()


@pytest.mark.parametrize("state", ["official", "amended"])
def test_official_results_need_a_reason(rally: Event, state: str) -> None:
    """A rule changed under official results is a decision somebody answers for."""
    publish(rally, state, rally.stages.get())
    with pytest.raises(RulesError, match="results are official"):
        apply_rules(rally, load_shipped("serres"), Wish(reason=" "))
    author = UserFactory()
    apply_rules(rally, load_shipped("serres"), Wish(author=author, reason="Bulletin 4"))
    use = ProfileUse.objects.get(event=rally)
    assert (use.name, use.version, use.author, use.reason) == ("serres", "1", author, "Bulletin 4")


def test_provisional_results_are_no_obstacle(rally: Event) -> None:
    publish(rally, "provisional", rally.stages.get())
    assert apply_rules(rally, load_shipped("serres"), Wish())


def test_rounding_goes_to_the_segments_and_evidence_ends_with_an_edit(rally: Event) -> None:
    """What an organiser sets differently is the event's own: no grade vouches for it."""
    rally.stages.get().segments.update(rounding_ms=100)
    apply_rules(rally, load_shipped("msuk-2026"), Wish())
    assert rally.stages.get().segments.get().rounding_ms == 1000
    rounding = export_rules(rally).settings.rounding_ms
    assert rounding is not None and rounding.grade == "A"
    rally.stages.get().segments.update(rounding_ms=100)
    rounding = export_rules(rally).settings.rounding_ms
    assert rounding is not None and (rounding.value, rounding.grade) == (100, "")


def test_rules_of_another_event_are_left_alone(rally: Event) -> None:
    other = PenaltyFormulaFactory()
    apply_rules(rally, load_shipped("serres"), REPLACE)
    assert PenaltyFormula.objects.get(pk=other.pk).penalty == other.penalty


def test_a_rule_of_a_class_that_is_gone_cannot_be_exported(rally: Event) -> None:
    PenaltyFormulaFactory(event=rally, belongs_to_type="class", belongs_to_id=rally.pk)
    with pytest.raises(RulesError, match="its class is not in the event any more"):
        export_rules(rally)


def test_zones_called_alike_are_told_apart(rally: Event) -> None:
    segment = rally.stages.get().segments.get()
    second = SpeedLimitZoneFactory(segment=segment, name="Z")
    rule = {"type": "speed_zone", "penalty": 5, "offence_min": 1, "zone": "1/1/Z (2)"}
    apply_rules(rally, parse(of(rule)), Wish())
    assert PenaltyFormula.objects.get(event=rally).belongs_to_id == second.pk
