"""What is not retroactive is not changed behind the back of those who have driven by it (issue 4, rulebook 11)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.factories import UserFactory
from apps.course.factories import GeofenceFactory, SegmentFactory, SpeedLimitZoneFactory, StageFactory
from apps.course.models import Geofence, Stage
from apps.penalties.factories import PenaltyFormulaFactory
from apps.penalties.profiles.schema import RulesError
from apps.penalties.profiles.store import Wish, apply_rules, export_rules

pytestmark = pytest.mark.django_db


def stage(begun: bool, name: str = "Stage 1", **more: Any) -> Stage:
    away = timedelta(hours=-1 if begun else 1)
    made: Stage = StageFactory(name=name, starts_at=timezone.now() + away, **more)
    return made


def fence(of: Stage) -> Geofence:
    made: Geofence = GeofenceFactory(event=of.event)
    SegmentFactory(stage=of, exit_geofence=made)
    return made


Make = Callable[[Stage], Any]
ROWS: list[tuple[Make, str, Any]] = [
    (fence, "bearing", 90.0),
    (fence, "manual_verification", True),
    (lambda of: SpeedLimitZoneFactory(segment=SegmentFactory(stage=of)), "speed_limit_kmh", 30.0),
    (lambda of: SpeedLimitZoneFactory(segment=SegmentFactory(stage=of)), "class_limits", {"C-1": 40}),
    (lambda of: PenaltyFormulaFactory(event=of.event), "penalty", 60.0),
    (lambda of: PenaltyFormulaFactory(event=of.event), "enabled", False),
]


@pytest.mark.parametrize(("make", "field", "value"), ROWS)
@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("retroactive", [True, False])
def test_an_edit(make: Make, field: str, value: Any, begun: bool, retroactive: bool) -> None:
    row = make(stage(begun))
    row.retroactive = retroactive
    row.save()
    setattr(row, field, value)
    if begun and not retroactive:
        with pytest.raises(ValidationError, match="It has begun: Stage 1.*Set retroactive"):
            row.clean()
    else:
        row.clean()


@pytest.mark.parametrize(
    ("make", "field", "value"),
    [
        (fence, "name", "Bridge"),
        (lambda of: SpeedLimitZoneFactory(segment=SegmentFactory(stage=of)), "name", "Village"),
        (lambda of: PenaltyFormulaFactory(event=of.event), "article", "80.11"),
    ],
)
def test_what_only_describes_may_be_put_right(make: Make, field: str, value: str) -> None:
    row = make(stage(begun=True))
    row.retroactive = False
    row.save()
    setattr(row, field, value)
    row.clean()


def test_setting_retroactive_with_the_edit_says_that_it_is_meant() -> None:
    row = PenaltyFormulaFactory(event=stage(begun=True).event, retroactive=False)
    row.penalty, row.retroactive = 60, True
    row.clean()
    row.save()
    row.penalty, row.retroactive = 30, False
    with pytest.raises(ValidationError):
        row.clean()


def test_a_new_rule_that_is_not_retroactive_comes_too_late() -> None:
    begun = stage(begun=True)
    with pytest.raises(ValidationError, match="Stage 1"):
        PenaltyFormulaFactory.build(event=begun.event, retroactive=False).clean()
    PenaltyFormulaFactory.build(event=begun.event).clean()


def test_the_rule_of_a_zone_concerns_the_stage_of_the_zone_alone() -> None:
    first = stage(begun=True)
    second = stage(begun=False, name="Stage 2", event=first.event)
    zones = [SpeedLimitZoneFactory(segment=SegmentFactory(stage=of)) for of in (first, second)]
    rules = [
        PenaltyFormulaFactory(
            event=first.event, type="speed_zone", belongs_to_type="zone", belongs_to_id=zone.id, retroactive=False
        )
        for zone in zones
    ]
    for rule in rules:
        rule.penalty = 1
    rules[1].clean()
    with pytest.raises(ValidationError, match="begun: Stage 1"):
        rules[0].clean()


def test_a_zone_cannot_be_moved_out_of_a_stage_that_has_begun() -> None:
    zone = SpeedLimitZoneFactory(segment=SegmentFactory(stage=(first := stage(begun=True))), retroactive=False)
    zone.segment = SegmentFactory(stage=stage(begun=False, name="Stage 2", event=first.event))
    with pytest.raises(ValidationError, match="begun: Stage 1"):
        zone.clean()


def test_a_fence_no_segment_uses_concerns_no_stage() -> None:
    row = GeofenceFactory(event=stage(begun=True).event, retroactive=False)
    row.bearing = 10
    row.clean()


def test_a_stage_begins_at_its_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    of = stage(begun=False)
    row = PenaltyFormulaFactory(event=of.event, retroactive=False)
    row.penalty = 1
    at: Callable[[timedelta], datetime] = lambda away: of.starts_at + away  # noqa: E731
    monkeypatch.setattr(timezone, "now", lambda: at(timedelta(milliseconds=-1)))
    row.clean()
    monkeypatch.setattr(timezone, "now", lambda: at(timedelta(0)))
    with pytest.raises(ValidationError):
        row.clean()


def test_the_admin_tells_it_in_the_form_and_deletes_nothing(client: Client) -> None:
    """Protects the door people use: a sentence, no server error, and nothing lost."""
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    begun = stage(begun=True)
    row = PenaltyFormulaFactory(event=begun.event, retroactive=False)
    form = client.get(reverse("admin:penalties_penaltyformula_change", args=[row.pk])).context["adminform"].form
    data = {name: "" if value is None else value for name, value in form.initial.items() if value is not False}
    data |= {"penalty": "60", "params": "{}", "applies_to": "stage,overall"}
    told = client.post(reverse("admin:penalties_penaltyformula_change", args=[row.pk]), data)
    assert told.status_code == 200 and "It has begun: Stage 1" in told.content.decode()
    gone = reverse("admin:penalties_penaltyformula_delete", args=[row.pk])
    assert "not retroactive and has begun: Stage 1" in client.get(gone).content.decode()
    client.post(gone, {"post": "yes"})
    row.refresh_from_db()
    assert row.penalty == 900


@pytest.mark.parametrize("replace", [True, False])
def test_a_profile_does_not_come_in_by_the_back_door(replace: bool) -> None:
    """Applying a profile removes or rewrites rules: the same holds there, and nothing is half done."""
    event = stage(begun=True).event
    row = PenaltyFormulaFactory(event=event, retroactive=False, article="80.1")
    wanted = export_rules(event)
    dearer = [msgspec.structs.replace(rule, penalty=60.0) for rule in wanted.formulas]
    given = msgspec.structs.replace(wanted, formulas=[] if replace else dearer)
    with pytest.raises(RulesError, match="begun: Stage 1"):
        apply_rules(event, given, Wish(replace=replace))
    row.refresh_from_db()
    assert row.penalty == 900
