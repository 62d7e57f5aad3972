"""What a change would do is what it does, and until then nothing is written."""

import pytest
import yaml

from apps.accounts.models import User
from apps.course.models import Waypoint
from apps.penalties.models import Decision
from apps.scoring import queries
from apps.scoring.changes import ChangeError, apply
from apps.scoring.dry_run import Difference, differences, dry_run
from apps.scoring.inputs import load
from apps.scoring.models import StageResult
from apps.scoring.plans import event_plan
from apps.scoring.projection import project
from apps.scoring.tests import rally
from apps.scoring.upkeep import keep_up

pytestmark = pytest.mark.django_db(transaction=True)

LARGER = "set: [{table: waypoints, where: {type: WPM}, values: {tolerance_meters: 400}}]"
CHEAPER = "set: [{table: penalty_formulas, where: {type: missed_waypoint}, values: {penalty: 60}}]"
OUT = "decide: [{kind: set_status, entry: 303, stage: Stage 1, params: {status: dsq}, reason: Fuel}]"


def would(driven: rally.Rally, official: User, document: str) -> list[Difference]:
    return dry_run(driven.event, lambda: apply(driven.event, yaml.safe_load(document), official))


def test_a_projection_from_the_fixes_says_what_the_scorer_wrote(driven: rally.Rally) -> None:
    """To the hash: the same functions on the same evidence, whether the crossings were stored or not."""
    plan = event_plan(str(driven.event.id))
    inputs = load(plan.event, queries.event_entries(plan.event))
    for detecting in (True, False):
        seen = project(plan, inputs, detecting=detecting)
        held = {(str(r.entry_id), str(r.stage_id)): r.inputs_hash for r in StageResult.objects.all()}
        assert {key: outcome.inputs_hash for key, outcome in seen.outcomes.items()} == held
        assert list(differences(plan, seen)) == []


@pytest.mark.parametrize("document", [LARGER, CHEAPER, OUT])
def test_a_dry_run_writes_nothing_and_foretells_the_truth(driven: rally.Rally, official: User, document: str) -> None:
    before = rally.readings()
    foretold = would(driven, official, document)
    assert rally.readings() == before and not Decision.objects.exists()
    held = results()
    apply(driven.event, yaml.safe_load(document), official)
    list(keep_up(str(driven.event.id)))
    now = results()
    changed = {number: now[number] for number in now if now[number] != held[number]}
    assert changed == {d.race_number: (d.new["total_ms"], d.new["rank"]) for d in foretold if d.stage}
    assert changed


def results() -> dict[int, tuple[int | None, int | None]]:
    return {r.entry.race_number: (r.total_ms, r.rank) for r in StageResult.objects.select_related("entry")}


def test_what_changes_is_named_with_old_and_new(driven: rally.Rally, official: User) -> None:
    lines = {(d.stage, d.race_number): d.changes() for d in would(driven, official, CHEAPER)}
    assert lines["Stage 1", 302]["penalty_ms"] == (900_000, 60_000)
    assert lines["", 302]["penalty_ms"] == (900_000, 60_000)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("[1]", "a change has set, decide, revoke, not list"),
        ("set: [{table: users, values: {}}]", r"set\[0\]: table 'users' is none of"),
        ("set: [{table: waypoints, where: {name: X}, values: {}}]", r"set\[0\]: no row of waypoints"),
        ("set: [{table: waypoints, where: {colour: X}, values: {}}]", r"set\[0\]: Cannot resolve keyword 'colour'"),
        ("set: [{table: waypoints, values: {colour: 1}}]", r"set\[0\]: values: waypoints have no colour"),
        ("set: [{table: waypoints, values: {tolerance_meters: -1}}]", r"set\[0\]: tolerance_meters: "),
        ("set: [{table: waypoints}]", r"set\[0\].values: missing"),
        ("decide: [{kind: set_status, params: {}, reason: R, entry: 9}]", r"decide\[0\]: the event has no entry 9"),
        ("decide: [{kind: guess, params: {}, reason: R}]", r"decide\[0\]: .*kind"),
        ("revoke: [{number: 7, reason: R}]", r"revoke\[0\]: the event has no decision 7"),
    ],
)
def test_a_wrong_change_is_refused_with_its_place(
    driven: rally.Rally, official: User, document: str, message: str
) -> None:
    with pytest.raises(ChangeError, match=message):
        would(driven, official, document)
    assert not Waypoint.objects.filter(tolerance_meters=-1).exists()
