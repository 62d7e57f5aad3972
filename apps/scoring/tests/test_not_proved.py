"""A waypoint that may have been passed while no tracker recorded: never missed by itself, but a case (rulebook 2.2)."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.catalog.factories import DeviceFactory
from apps.common import stream
from apps.common.position import Position
from apps.course.models import Stage, Waypoint
from apps.events.factories import EntryDeviceFactory
from apps.penalties.models import EntryPenalty, PenaltyStatus
from apps.scoring import snapshot
from apps.scoring.decisions import Draft, decide, revoke
from apps.scoring.models import StageResult
from apps.scoring.revisions import Publication, publish, verify
from apps.scoring.services import Again, score_again
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor, scorer
from apps.scoring.upkeep import keep_up

pytestmark = pytest.mark.django_db(transaction=True)
FIRST, SECOND = 0, 1  # the second crew passes the WPM beside it


class Field:
    """Two crews whose trackers were silent from 700 to 1300 m, past the WPM at 1000 m."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.rally = rally.build(entries=2)
        every = rally.drive(self.rally, random.Random(7))
        self.heard = [fix for fix in every if not 700 < metres(fix) < 1300]
        self.late = [fix for fix in every if 700 < metres(fix) < 1300]

    def come(self, fixes: Sequence[Position]) -> None:
        """The fixes come in and are scored."""
        stream.send(self.redis, "telemetry:t", fixes)
        processor(self.redis).run_until_idle()
        scorer(self.redis).run_until_idle()

    def catch_up(self) -> None:
        """The scorer sees what was edited."""
        list(keep_up(str(self.rally.event.id)))

    def result(self, nth: int) -> StageResult:
        return StageResult.objects.get(entry=self.rally.entries[nth])

    def penalty(self, nth: int) -> EntryPenalty:
        return EntryPenalty.objects.get(entry=self.rally.entries[nth], type="missed_waypoint")

    def draft(self, kind: str, nth: int = SECOND, **params: object) -> Draft:
        """A decision on the case of the nth crew."""
        stage = Stage.objects.get(id=self.rally.stage_id)
        params = {"key": self.penalty(nth).key, **params}
        return Draft(self.rally.event, kind, params, "The camera shows it", entry=self.rally.entries[nth], stage=stage)


def metres(fix: Position) -> float:
    return (fix.longitude - rally.LON) * rally.DEGREE_M


@pytest.fixture
def field(redis: Redis) -> Field:
    made = Field(redis)
    made.come(made.heard)
    return made


def test_what_no_tracker_saw_costs_nothing_and_waits_for_an_official(field: Field) -> None:
    wpm = str(Waypoint.objects.get(type="WPM").pk)
    for nth in (FIRST, SECOND):
        result, penalty = field.result(nth), field.penalty(nth)
        assert (result.penalty_ms, result.total_ms) == (0, result.time_ms)
        assert (result.outcome["missed"], result.outcome["in_doubt"]) == ([], [wpm])
        assert (penalty.status, penalty.inputs["case"]) == ("proposed", "unproved")
        assert not penalty.seconds
        before = max(f.ts for f in field.heard if f.device_id == field.rally.imeis[nth] and metres(f) <= 700)
        after = min(f.ts for f in field.heard if f.device_id == field.rally.imeis[nth] and metres(f) >= 1300)
        assert (penalty.inputs["last_fix_ts"], penalty.inputs["next_fix_ts"]) == (before, after)


def test_late_data_turns_it_into_passed_or_missed(field: Field) -> None:
    """And all readings are those of a run in which nothing was late."""
    field.come(field.late)
    late = rally.readings()
    assert field.result(FIRST).outcome["validated"] == 2 and field.result(FIRST).penalty_ms == 0
    assert field.result(SECOND).penalty_ms == 900_000 and "in_doubt" not in field.result(SECOND).outcome
    rally.forget()
    field.come([*field.late, *field.heard])
    assert rally.readings() == late


def test_the_late_data_of_another_tracker_proves_it_missed_though_it_crosses_nothing(field: Field) -> None:
    """Its record begins and ends within the gap."""
    backup = DeviceFactory()
    crew = field.rally.entries[SECOND]
    EntryDeviceFactory(entry=crew, device=backup, priority=2, assigned_from=rally.START - timedelta(days=1))
    mine = [fix for fix in field.late if fix.device_id == field.rally.imeis[SECOND]]
    one_longer = [fix for fix in field.heard if fix.device_id == mine[0].device_id and 650 < metres(fix) < 1350]
    field.come([msgspec.structs.replace(fix, device_id=backup.imei) for fix in (*mine, *one_longer)])
    assert field.result(SECOND).penalty_ms == 900_000
    assert not EntryPenalty.objects.filter(entry=crew, inputs__case="unproved").exists()


def test_a_tracker_that_another_entry_carried_meanwhile_proves_nothing(field: Field) -> None:
    """Only while it was assigned do its fixes speak of the crew."""
    link = field.rally.entries[SECOND].device_links.get()
    gap_begins = field.penalty(SECOND).inputs["gap_begins_ts"]
    backup = DeviceFactory()
    crew = field.rally.entries[SECOND]
    EntryDeviceFactory(
        entry=crew,
        device=backup,
        priority=2,
        assigned_from=link.assigned_from,
        assigned_until=rally.instant(gap_begins),
    )
    mine = [fix for fix in field.late if fix.device_id == field.rally.imeis[SECOND]]
    field.come([msgspec.structs.replace(fix, device_id=backup.imei) for fix in mine])
    list(score_again(Again(str(field.rally.event.id))))
    assert field.result(SECOND).penalty_ms == 0


@pytest.mark.parametrize(
    ("kind", "params", "status", "penalty_ms"),
    [
        ("confirm_penalty", {}, PenaltyStatus.CONFIRMED, 900_000),
        ("edit_penalty", {"ms": 120_000}, PenaltyStatus.CONFIRMED, 120_000),
        ("waive_penalty", {}, PenaltyStatus.WAIVED, 0),
    ],
)
def test_officials_decide_and_may_take_it_back(
    field: Field, kind: str, params: dict[str, Any], status: str, penalty_ms: int
) -> None:
    official = UserFactory()
    decision = decide(field.draft(kind, **params), official)
    field.catch_up()
    assert (field.penalty(SECOND).status, field.result(SECOND).penalty_ms) == (status, penalty_ms)
    assert "review" not in field.penalty(SECOND).inputs
    missed = [] if kind == "waive_penalty" else [field.penalty(SECOND).inputs["waypoint"]]
    assert field.result(SECOND).outcome["missed"] == missed
    revoke(decision, official, "It was another crew")
    field.catch_up()
    assert (field.penalty(SECOND).status, field.result(SECOND).penalty_ms) == (PenaltyStatus.PROPOSED, 0)


def test_an_event_may_price_it_until_an_official_waives_it(field: Field) -> None:
    event = field.rally.event
    event.price_unproved = True
    event.save()
    field.catch_up()
    assert field.result(FIRST).penalty_ms == 900_000
    assert field.penalty(FIRST).inputs["case"] == "unproved"
    decide(field.draft("waive_penalty", FIRST), UserFactory())
    field.catch_up()
    assert field.result(FIRST).penalty_ms == 0


def test_faulty_fixes_leave_a_gap_in_which_nothing_is_proved(field: Field) -> None:
    """What officials do not believe cannot prove a miss."""
    field.come(field.late)
    assert field.result(SECOND).penalty_ms == 900_000
    instants = [fix.ts for fix in field.late if fix.device_id == field.rally.imeis[SECOND]]
    window = {"device": field.rally.imeis[SECOND], "from_ts": min(instants), "to_ts": max(instants)}
    decide(Draft(field.rally.event, "faulty_fixes", window, "It lay in the service car"), UserFactory())
    field.catch_up()
    assert field.result(SECOND).penalty_ms == 0


def test_a_published_result_with_a_case_recomputes_to_the_same(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "SETTLED", timedelta(0))
    stage = Stage.objects.get(id=field.rally.stage_id)
    revision = publish(Publication(field.rally.event, "provisional", stage), UserFactory())
    assert verify(revision) == []
    found = [p for p in revision.snapshot["penalties"] if p["inputs"].get("case") == "unproved"]
    assert len(found) == 2 and all(p["ms"] == 0 for p in found)


@pytest.mark.parametrize("seed", range(3))
def test_bursts_in_any_order_end_in_the_readings_of_one_clean_run(redis: Redis, seed: int) -> None:
    """Two trackers a crew, each silent by turns, their data late, twice and in pieces (design 4, the law)."""
    rng = random.Random(seed)
    built = rally.build(entries=3)
    backups = [DeviceFactory() for _ in built.entries]
    for entry, device in zip(built.entries, backups, strict=True):
        EntryDeviceFactory(entry=entry, device=device, priority=2, assigned_from=rally.START - timedelta(days=1))
    both = replace(built, imeis=tuple(device.imei for device in backups))
    trackers = {imei: rng.uniform(400, 1100) for imei in (*built.imeis, *both.imeis)}
    records = [*rally.drive(built, random.Random(seed)), *rally.drive(both, random.Random(seed))]
    known = [fix for fix in records if not trackers[fix.device_id] < metres(fix) < trackers[fix.device_id] + 500]
    made = Field.__new__(Field)
    made.redis = redis
    made.come(known)
    expected = rally.readings()
    rally.forget()
    pieces = [known[n : n + 60] for n in range(0, len(known), 60)]
    for piece in rng.sample([*pieces, *pieces[::4]], len(pieces) + len(pieces[::4])):
        made.come(piece)
    assert rally.readings() == expected, f"seed {seed}"
