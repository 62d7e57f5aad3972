"""What race control does over REST: alerts, crews accounted for, stages closed, notes, members, dead letters."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.audit.models import AuditEntry
from apps.common import stream
from apps.course.factories import StageFactory
from apps.events.factories import EntryFactory, EventFactory
from apps.events.models import Entry, Event
from apps.rest.tests.client import Api, official
from apps.safety.factories import AlertFactory
from tests.rest_rally import event_that_is_on

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture
def event() -> Event:
    return event_that_is_on()


@pytest.fixture
def entry(event: Event) -> Entry:
    return EntryFactory(event=event)


def test_an_alert_is_worked_off_and_its_log_tells_how(event: Event, entry: Entry) -> None:
    alert, marshal = AlertFactory(entry=entry), official(event.organization, "marshal")
    assert [row["id"] for row in marshal.get(f"alerts?event={event.id}&closed_at__isnull=true").rows] == [str(alert.id)]
    seen = marshal.post(f"alerts/{alert.id}/acknowledge", {"note": "Calling them"})
    assert (seen.status, seen.json["owner"]) == (200, str(marshal.user.pk))  # type: ignore[union-attr]
    assert marshal.post(f"alerts/{alert.id}/escalate", {}).json["escalated_at"]
    other = official(event.organization, "race-director")
    handed = marshal.post(f"alerts/{alert.id}/hand_over", {"to": str(other.user.pk)})  # type: ignore[union-attr]
    assert handed.json["owner"] == str(other.user.pk)  # type: ignore[union-attr]
    assert marshal.post(f"alerts/{alert.id}/note", {"text": "Sweep is there"}).status == 200
    assert other.post(f"alerts/{alert.id}/close", {}).fields == {"reason"}
    assert other.post(f"alerts/{alert.id}/close", {"reason": "Both well"}).json["reason"] == "Both well"
    assert other.post(f"alerts/{alert.id}/note", {"text": "Late"}).status == 422
    lines = other.get(f"alerts/{alert.id}?expand=lines").json["lines"]
    assert [line["act"] for line in lines] == ["acknowledged", "escalated", "handed-over", "noted", "closed"]


def test_alerts_are_for_the_officials_of_the_event(event: Event, entry: Entry) -> None:
    alert = AlertFactory(entry=entry)
    for api in (official(event.organization, "viewer"), official(EventFactory().organization)):
        assert api.get(f"alerts/{alert.id}").status == 404
        assert api.post(f"alerts/{alert.id}/acknowledge", {}).status == 404
    helper = official(event.organization, "marshal")
    event.starts_at, event.ends_at = (datetime.now(UTC) + timedelta(days=days) for days in (7, 9))
    event.save()
    assert helper.post(f"alerts/{alert.id}/acknowledge", {}).status == 403


def test_nobody_who_may_not_looks_after_an_alert(event: Event, entry: Entry) -> None:
    alert, viewer = AlertFactory(entry=entry), OrganizationUserFactory(organization=event.organization, role="viewer")
    handed = official(event.organization).post(f"alerts/{alert.id}/hand_over", {"to": str(viewer.user_id)})
    assert handed.status == 422


def test_a_stage_closes_when_nobody_is_left_and_opens_again_for_a_reason(event: Event, entry: Entry) -> None:
    stage, director = StageFactory(event=event), official(event.organization, "race-director")
    alert = AlertFactory(entry=entry, stage=stage)
    refused = director.post(f"stages/{stage.id}/close", {})
    assert (refused.status, "alerts" in refused.json["errors"][0]["message"]) == (422, True)
    director.post(f"alerts/{alert.id}/close", {"reason": "Well"})
    body = {"stage": str(stage.id), "entry": str(entry.id), "reason": "Went home by the road"}
    assert director.post("entry_accountings", body).status == 201
    assert director.post(f"stages/{stage.id}/close", {"note": "Sweep in"}).json["note"] == "Sweep in"
    assert director.post(f"stages/{stage.id}/reopen", {}).fields == {"reason"}
    assert director.post(f"stages/{stage.id}/reopen", {"reason": "A marshal is there"}).status == 204
    assert director.get(f"stage_closings?stage={stage.id}").rows[0]["reason"] == "A marshal is there"


def test_a_note_on_an_entry_is_read_by_its_officials(event: Event, entry: Entry) -> None:
    marshal, director = official(event.organization, "marshal"), official(event.organization, "race-director")
    assert marshal.post(f"entries/{entry.id}/note", {"text": "Lights broken"}).status == 201
    (row,) = director.get(f"comments?table=entries&row={entry.id}").rows
    assert (row["text"], row["author"]) == ("Lights broken", str(marshal.user.pk))  # type: ignore[union-attr]
    said = director.post("comments", {"table": "entries", "row": str(entry.id), "text": "Repaired"})
    assert said.status == 201
    hidden = EntryFactory(event__is_public=False)
    assert director.post("comments", {"table": "entries", "row": str(hidden.id), "text": "x"}).fields == {"row"}
    assert director.post("comments", {"table": "pg_user", "row": "1", "text": "x"}).fields == {"table"}
    assert official(event.organization, "viewer").post(f"entries/{entry.id}/note", {"text": "x"}).status == 403


def test_the_entries_of_an_event_come_as_a_file(event: Event, entry: Entry) -> None:
    api = official(event.organization, "timekeeper")
    made = api.get(f"events/{event.id}/export")
    assert made.headers["Content-Type"].startswith("text/csv")
    assert str(entry.race_number).encode() in made.content
    assert api.get(f"events/{event.id}/export?format=xlsx").content.startswith(b"PK")
    assert api.get(f"events/{event.id}/export?format=pdf").fields == {"format"}
    assert official(event.organization, "marshal").get(f"events/{event.id}/export").status == 403


def test_a_member_is_suspended_and_taken_back(event: Event) -> None:
    admin, marshal = official(event.organization), official(event.organization, "marshal")
    (member,) = admin.get(f"organization_users?user={marshal.user.pk}").rows  # type: ignore[union-attr]
    assert (
        official(event.organization, "race-director").post(f"organization_users/{member['id']}/suspend").status == 403
    )
    assert admin.post(f"organization_users/{member['id']}/suspend", TRM_Reason="Left").json["suspended"] is True
    assert marshal.get(f"events/{event.id}").status == 404
    line = AuditEntry.objects.filter(table="organization_users", row_id=member["id"]).latest("id")
    assert (line.reason, line.door) == ("Left", "rest")
    assert admin.post(f"organization_users/{member['id']}/restore").json["suspended"] is False
    assert marshal.get(f"events/{event.id}").status == 200


def test_dead_letters_are_replayed_and_dropped_by_who_looks_after_them(event: Event, redis: Any) -> None:
    keeper = UserFactory()
    keeper.user_permissions.add(Permission.objects.get(codename="replay_dead_letters"))
    origin = stream.REQUESTS_STREAM
    for error in ("bad window", "no such event"):
        redis.xadd(
            stream.dead_letters(origin), {"reason": "fixes", "error": error, "failed_at": "x", "origin_id": "1-1"}
        )
    api = Api(keeper)
    assert {row["error"] for row in api.get("dead_letters").rows} == {"bad window", "no such event"}
    assert api.post("dead_letters/replay", {}).status == 400
    assert api.post("dead_letters/replay", {"error": "window"}).json == {"done": 1, "bare": 0}
    assert redis.xlen(origin) == 1
    (left,) = api.get("dead_letters?error=event").rows
    assert api.post("dead_letters/drop", {"ids": [left["id"]]}).fields == {"reason"}
    assert api.post("dead_letters/drop", {"ids": [left["id"]], "reason": "Long over"}).json["done"] == 1
    assert api.post("dead_letters/drop", {"ids": [left["id"]], "reason": "Again"}).status == 409
    assert api.get("dead_letters?stream=none").fields == {"stream"}
    assert official(event.organization).get("dead_letters").status == 403
