"""What officials do with start lists in the admin."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from redis import Redis

from apps.accounts.models import User
from apps.course.factories import SegmentFactory, StageFactory
from apps.course.models import Stage
from apps.events.factories import EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry
from apps.timing.factories import StartListFactory
from apps.timing.models import EntrySegmentStart, StartList, StartOverride

pytestmark = pytest.mark.django_db
MOVE = "admin:timing_startoverride"
LIST = "admin:timing_startlist"


@pytest.fixture
def official() -> User:
    return User.objects.create_superuser("clerk@example.org", "x")


@pytest.fixture
def office(client: Client, official: User, redis: Redis) -> Client:
    client.force_login(official)
    return client


@pytest.fixture
def stage() -> Stage:
    event = EventFactory()
    stage = StageFactory(event=event, starts_at=datetime(2026, 6, 8, 4, tzinfo=UTC))
    SegmentFactory(stage=stage)
    moto = RaceClassFactory(event=event)
    for number in (1, 2, 3):
        EntryFactory(event=event, race_class=moto, race_number=number)
    return stage


def publish(office: Client, stage: Stage, reason: str = "") -> str:
    data = {"stage": str(stage.id), "reason": reason}
    return office.post(reverse(f"{LIST}_add"), data, follow=True).content.decode()


def move(office: Client, stage: Stage, number: int, **where: object) -> str:
    mover = Entry.objects.get(event=stage.event, race_number=number)
    data = {"stage": str(stage.id), "entry": str(mover.id), "reason": "faster", **where}
    return office.post(reverse(f"{MOVE}_add"), data, follow=True).content.decode()


def test_adding_a_list_opens_the_stage_and_then_publishes_again(office: Client, stage: Stage, official: User) -> None:
    publish(office, stage)
    assert EntrySegmentStart.objects.count() == 3
    assert "needs a reason" in publish(office, stage)
    move(office, stage, 3, position=1)
    assert "Version 2: 3 moved." in publish(office, stage, "3 is faster")
    held = StartList.objects.get(version=2)
    assert held.author == official and [row["number"] for row in held.rows] == [3, 1, 2]


def test_a_refused_move_is_a_form_error_and_writes_nothing(office: Client, stage: Stage) -> None:
    assert "position 9 of 3" in move(office, stage, 1, position=9)
    assert "one of position" in move(office, stage, 1, position=1, start_at_0="2026-06-08", start_at_1="08:00")
    assert not StartOverride.objects.exists()


def test_a_move_is_revoked_with_a_signature(office: Client, stage: Stage, official: User) -> None:
    move(office, stage, 3, position=1)
    held = StartOverride.objects.get()
    assert held.author == official
    act = {"action": "revoke", "_selected_action": [str(held.id)]}
    assert "with a reason" in office.post(reverse(f"{MOVE}_changelist"), act, follow=True).content.decode()
    office.post(reverse(f"{MOVE}_changelist"), act | {"change_reason": "wrong crew"})
    held.refresh_from_db()
    assert held.revoked_by == official and held.revoked_at is not None


def test_lists_and_moves_are_neither_edited_nor_deleted(office: Client, stage: Stage) -> None:
    move(office, stage, 3, position=1)
    for name, row in ((MOVE, StartOverride.objects.get()), (LIST, StartListFactory(stage=stage))):
        assert office.post(reverse(f"{name}_change", args=[row.pk]), {"reason": "x"}).status_code == 403
        assert office.post(reverse(f"{name}_delete", args=[row.pk])).status_code == 403
