"""The acts of officials over REST."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.accounts.factories import UserFactory
from apps.audit.models import AuditEntry
from apps.catalog.factories import VehicleFactory
from apps.course.factories import WaypointFactory
from apps.course.models import Stage
from apps.events.factories import EntryCrewFactory, EntryDeviceFactory, EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, Event
from apps.integrations.factories import DeliveryFactory, DomainEventFactory, WebhookFactory
from apps.penalties.factories import PenaltyFormulaFactory
from apps.rest.tests.client import Api, official
from tests.rest_rally import START, event_that_is_on, stage_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture
def event() -> Event:
    return event_that_is_on()


@pytest.fixture
def stage(event: Event) -> Stage:
    return stage_of(event, ("PC", "PC"))


@pytest.fixture
def entries(event: Event) -> list[Entry]:
    return [EntryFactory(event=event, race_number=number) for number in (1, 2)]


@pytest.fixture
def director(event: Event) -> Api:
    return official(event.organization, "race-director")


def fix(entry: Entry, imei: str, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into positions (device_id, ts, ingested_at, latitude, longitude, altitude, angle, speed,"
            " satellites, priority, codec, attributes) values (%s, %s, %s, 41.5, 20.1, 100, 0, 30, 9, 0, '8E', '{}')",
            [imei, at, at],
        )


def test_a_stage_opens_is_seeded_and_its_controls_close(director: Api, stage: Stage, entries: list[Entry]) -> None:
    proposal = director.get(f"stages/{stage.id}/proposal").rows
    assert [row["number"] for row in proposal] == [1, 2]
    opened = director.post(f"stages/{stage.id}/open")
    assert (opened.status, opened.json["version"]) == (200, 1), opened.content
    move = {"stage": str(stage.id), "entry": str(entries[0].id), "after": str(entries[1].id), "reason": "Puncture"}
    assert director.post("start_overrides", move).status == 201
    seeded = director.post(f"stages/{stage.id}/seed", {"reason": "Puncture of number 1"})
    assert (seeded.json["list"]["version"], {m["number"] for m in seeded.json["moves"]}) == (2, {1, 2})
    closing = director.post(f"stages/{stage.id}/closing_times", {"slowest_kmh": 25}).rows
    assert closing[0]["metres"] == 0 and 11_000 < closing[1]["metres"] < 11_200
    assert director.get(f"waypoints/{closing[1]['waypoint']}").json["closes_at"] == closing[1]["closes_at"]


def test_a_stage_does_not_open_while_a_rule_has_no_value(director: Api, stage: Stage) -> None:
    PenaltyFormulaFactory(event=stage.event, penalty=None)
    answer = director.post(f"stages/{stage.id}/open")
    assert (answer.status, "no value" in answer.json["detail"]) == (409, True)
    assert any(one["blocking"] for one in director.get(f"events/{stage.event_id}/open_settings").rows)


def test_times_are_recorded_by_whom_the_policy_lets(event: Event, stage: Stage, entries: list[Entry]) -> None:
    control = str(stage.segments.get().waypoints.all()[0].id)
    body = {"entry": str(entries[0].id), "control": control, "source": "marshal", "ts": "2026-06-07T07:00:00Z"}
    marshal = official(event.organization, "marshal")
    made = marshal.post("timing_records", body)
    assert (made.status, made.json["author"]) == (201, str(marshal.user.pk))  # type: ignore[union-attr]
    assert official(event.organization, "viewer").post("timing_records", body).status == 403
    assert marshal.patch(f"timing_records/{made.json['id']}", {"ts": "2026-06-07T07:00:01Z"}).status == 405


def test_decisions_are_tried_made_and_revoked(director: Api, event: Event, stage: Stage, entries: list[Entry]) -> None:
    body: dict[str, Any] = {
        "event": str(event.id), "kind": "set_status", "entry": str(entries[0].id), "stage": str(stage.id),
        "params": {"status": "dns"}, "reason": "Did not come",
    }  # fmt: skip
    tried = director.post("decisions/dry_run", body)
    assert tried.status == 200 and director.get("decisions").rows == []
    made = director.post("decisions", body)
    assert (made.status, made.json["number"]) == (201, 1), made.content
    assert director.post("decisions", {**body, "params": {"status": "flew"}}).fields == {"params"}
    revoked = director.post(f"decisions/{made.json['id']}/revoke", {"reason": "He came"})
    assert revoked.json["revoked_reason"] == "He came"
    assert official(event.organization, "timekeeper").post("decisions", body).status == 403


def test_a_marshal_flags_a_window_of_fixes(event: Event, entries: list[Entry]) -> None:
    link = EntryDeviceFactory(entry=entries[0])
    fix(entries[0], link.device.imei, START)
    ms = int(START.timestamp() * 1000)
    body = {"device": link.device.imei, "from_ts": ms, "to_ts": ms, "reason": "Jump"}
    marshal = official(event.organization, "marshal")
    assert marshal.get(f"entries/{entries[0].id}/track").json["features"] != []
    assert marshal.post(f"entries/{entries[0].id}/flag_faulty", body).status == 201
    assert marshal.get(f"entries/{entries[0].id}/track").json["features"] == []
    assert marshal.post(f"entries/{entries[1].id}/flag_faulty", body).fields == {"device"}


def test_results_are_published_and_verified(director: Api, event: Event, stage: Stage) -> None:
    body = {"event": str(event.id), "stage": str(stage.id), "state": "provisional"}
    made = director.post("result_revisions", body)
    assert (made.status, made.json["number"]) == (201, 1), made.content
    assert director.get(f"result_revisions/{made.json['id']}/verify").json == {"problems": []}
    assert director.get(f"result_revisions/{made.json['id']}/would_change").rows == []
    again = director.post("result_revisions", {**body, "state": "unofficial"})
    assert again.status == 422 and "unofficial" in again.json["errors"][0]["message"]
    other = EventFactory()
    assert director.post("result_revisions", {**body, "event": str(other.id)}).status in (403, 422)


def test_leaderboards_are_for_whom_the_event_is(event: Event, director: Api, stage: Stage) -> None:
    assert director.get(f"events/{event.id}/leaderboard").json == {"seq": 0, "results": []}
    assert director.get(f"stages/{stage.id}/leaderboard").status == 200
    assert Api().get(f"events/{event.id}/leaderboard").status == 404


def test_the_public_sees_positions_later_and_no_trackers() -> None:
    now = datetime.now(UTC)
    event = EventFactory(starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1), public_delay_seconds=600)
    link = EntryDeviceFactory(entry=EntryFactory(event=event), assigned_from=now - timedelta(days=1))
    for minutes in (1, 20):
        fix(link.entry, link.device.imei, now - timedelta(minutes=minutes))
    (public,) = Api().get(f"events/{event.id}/positions").json["features"]
    (exact,) = official(event.organization, "marshal").get(f"events/{event.id}/positions").json["features"]
    points = Api().get(f"events/{event.id}/positions?format=gpx")
    assert (points.headers["Content-Type"], points.content.count(b"<wpt")) == ("application/gpx+xml", 1)
    assert Api().get(f"events/{event.id}/positions?format=kml").fields == {"format"}
    assert exact["properties"]["ts"] - public["properties"]["ts"] == 19 * 60_000
    assert ("device_id" in exact["properties"], "device_id" in public["properties"]) == (True, False)
    gpx = Api().get(f"entries/{link.entry_id}/track?format=gpx")
    assert (gpx.headers["Content-Type"], gpx.content.count(b"<trkpt")) == ("application/gpx+xml", 1)


def test_crews_are_copied_and_entries_made_with_theirs(event: Event, director: Api) -> None:
    before = EntryCrewFactory(entry=EntryFactory(event=event))
    race_class = RaceClassFactory(event=event, cc_max=450, age_min=50)
    body = {
        "event": str(event.id), "race_class": str(race_class.id), "race_number": 9,
        "vehicle": str(before.entry.vehicle_id), "crew": [{"user": str(before.user_id), "role": "pilot"}],
    }  # fmt: skip
    before.entry.vehicle.cc = 700
    before.entry.vehicle.save()
    assert director.post("entries", body).fields == {"vehicle"}
    made = director.post("entries", {**body, "eligibility_override": "Cup class", "crew": []})
    assert made.status == 201, made.content
    copied = director.post(f"entries/{made.json['id']}/copy_crew", {"source": str(before.entry_id)})
    assert copied.json == {"added": [str(before.user_id)]}
    shown = director.get(f"entries/{made.json['id']}?expand=crew").json
    assert [link["role"] for link in shown["crew"]] == ["pilot"]
    wrong = director.post("entries", {**body, "race_number": 10, "eligibility_override": "x", "crew": [
        {"user": str(before.user_id), "role": "runner"}]})  # fmt: skip
    assert wrong.fields == {"crew.0.role"}
    assert not Entry.objects.filter(race_number=10).exists()


def test_a_segment_is_made_with_its_waypoints_or_not_at_all(director: Api, stage: Stage) -> None:
    points = [
        {"type": kind, "latitude": 41.0, "longitude": 20.0 + n, "tolerance_meters": 90, "sort_order": n}
        for n, kind in enumerate(("DSS", "ASS"), start=1)
    ]
    body = {"stage": str(stage.id), "sort_order": 2, "type": "special-stage", "waypoints": points}
    wrong = director.post("segments", {**body, "waypoints": [points[0], {**points[1], "latitude": 91}]})
    assert (wrong.status, wrong.fields) == (400, {"waypoints.1.latitude"})
    assert stage.segments.count() == 1
    made = director.post("segments", body)
    assert made.status == 201, made.content
    shown = director.get(f"segments/{made.json['id']}?expand=waypoints").json["waypoints"]
    assert {point["type"] for point in shown} == {"DSS", "ASS"}


def test_what_a_discipline_needs(director: Api, event: Event) -> None:
    race_class = RaceClassFactory(event=event)
    body = {"event": str(event.id), "race_class": str(race_class.id), "race_number": 9}
    assert director.post("entries", body).fields == {"vehicle"}
    event.discipline = "hike"
    event.save()
    assert director.post("entries", body).status == 201


def test_a_vehicle_is_registered_with_its_organization(event: Event, director: Api) -> None:
    made = director.post("vehicles", {"make": "KTM", "model": "450"})
    assert (made.status, made.json["make"]) == (201, "KTM")
    assert director.get(f"vehicles/{made.json['id']}").status == 200
    assert director.get(f"vehicles/{VehicleFactory().id}").status == 404


def test_a_post_that_comes_twice_is_done_once(event: Event, director: Api) -> None:
    body = {"event": str(event.id), "code": "M-1", "name": "Moto"}
    first = director.post("classes", body, Idempotency_Key="a1")
    again = director.post("classes", body, Idempotency_Key="a1")
    assert (first.status, first.content) == (again.status, again.content) and first.status == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert director.post("classes", {**body, "code": "M-2"}, Idempotency_Key="a1").status == 422
    assert director.post("classes", {**body, "event": "x"}, Idempotency_Key="b").status == 400
    assert director.post("classes", {**body, "code": "M-3"}, Idempotency_Key="b").status == 201
    assert event.classes.count() == 2


def test_a_timeline_tells_what_was_done_and_a_change_is_taken_back(event: Event, entries: list[Entry]) -> None:
    admin = official(event.organization)
    admin.patch(f"entries/{entries[0].id}", {"team": "Red"}, TRM_Reason="They said so")
    line = admin.get(f"entries/{entries[0].id}/timeline").rows[0]
    assert (line["new"], line["reason"], line["door"]) == ({"team": "Red"}, "They said so", "rest")
    assert admin.post(f"audit_log/{line['id']}/revert", {"reason": "Not so"}).status == 204
    assert admin.get(f"entries/{entries[0].id}").json["team"] == ""
    assert admin.post(f"audit_log/{line['id']}/revert", {"reason": "Again"}).status == 409
    assert Api(UserFactory()).get("audit_log").status == 403


def test_a_rescore_is_asked_of_the_scorer(event: Event, director: Api, redis: Any) -> None:
    assert director.post(f"events/{event.id}/rescore", {}).status == 202
    assert redis.xlen("recompute:requests") == 1
    assert director.post(f"events/{event.id}/rescore", {"entry": str(EntryFactory().id)}).fields == {"entry"}


def test_a_time_is_of_a_control_of_its_event_and_is_withdrawn(event: Event, stage: Stage, entries: list[Entry]) -> None:
    marshal = official(event.organization, "marshal")
    elsewhere = WaypointFactory().id
    body = {"entry": str(entries[0].id), "control": str(elsewhere), "source": "marshal", "ts": "2026-06-07T07:00:00Z"}
    assert marshal.post("timing_records", body).fields == {"control"}
    body["control"] = str(stage.segments.get().waypoints.all()[0].id)
    made = marshal.post("timing_records", body)
    taken = f"timing_records/{made.json['id']}/withdraw"
    assert official(event.organization, "viewer").post(taken, {"reason": "Wrong car"}).status == 403
    assert marshal.post(taken, {"reason": " "}).status == 400
    assert marshal.post(taken, {"reason": "Wrong car"}).json["withdrawn_reason"] == "Wrong car"


def test_what_is_not_retroactive_stays_once_a_stage_has_begun(director: Api, event: Event, stage: Stage) -> None:
    admin = official(event.organization)
    assert stage.starts_at == START
    stage.starts_at = datetime.now(UTC) - timedelta(hours=1)
    stage.save()
    rule = PenaltyFormulaFactory(event=event, retroactive=False)
    refused = director.delete(f"penalty_formulas/{rule.id}")
    assert (refused.status, stage.name in refused.json["errors"][0]["message"]) == (422, True)
    line = AuditEntry.objects.filter(table="penalty_formulas", row_id=str(rule.id)).latest("id")
    assert admin.post(f"audit_log/{line.id}/revert", {"reason": "Not meant"}).status == 409
    type(rule).objects.filter(pk=rule.pk).update(penalty=999)
    line = AuditEntry.objects.filter(table="penalty_formulas", row_id=str(rule.id)).latest("id")
    again = admin.post(f"audit_log/{line.id}/revert", {"reason": "Not meant"})
    assert (again.status, "begun" in again.json["detail"]) == (409, True)
    rule.refresh_from_db()
    assert rule.penalty == 999
    later = PenaltyFormulaFactory(event=event, retroactive=True)
    assert director.delete(f"penalty_formulas/{later.id}").status == 204


def test_a_director_registers_a_person_for_a_crew_and_gives_no_rights(event: Event, director: Api) -> None:
    entry = EntryFactory(event=event)
    made = director.post("users", {"email": "new@example.org", "first_name": "Ana", "last_name": "Hoxha"})
    assert made.status == 201, made.content
    person = made.json["id"]
    link = {"entry": str(entry.id), "user": person, "role": "pilot"}
    assert director.post("entry_crew", link).status == 201
    (member,) = director.get(f"organization_users?user={person}").rows
    assert member["role"] == "participant"
    assert director.patch(f"organization_users/{member['id']}", {"role": "org-admin"}).status == 403
    other = {"email": "b@example.org", "first_name": "B", "last_name": "C"}
    assert director.post("users", {**other, "organization": str(EventFactory().organization_id)}).status == 403
    assert official(event.organization, "timekeeper").post("users", other).status == 403


def test_webhooks_have_their_secrets_shown_once(event: Event, director: Api) -> None:
    admin = official(event.organization)
    body = {"organization": str(event.organization_id), "name": "Ours", "url": "https://hooks.example.org/trm"}
    hook = WebhookFactory(organization=event.organization)
    assert director.post("webhooks", body).status == 403
    shown = admin.get(f"webhooks/{hook.id}").json
    assert not {"secret", "previous_secret"} & shown.keys()
    secret = admin.post(f"webhooks/{hook.id}/renew_secret").json["secret"]
    hook.refresh_from_db()
    assert hook.secret == secret
    assert director.post(f"webhooks/{hook.id}/renew_secret").status == 403
    sent = DeliveryFactory(webhook=hook, domain_event=DomainEventFactory(event=event), state="given_up")
    assert admin.post(f"webhook_deliveries/{sent.id}/again").json["state"] == "pending"
    assert [row["id"] for row in director.get(f"domain_events?event={event.id}").rows][-1:] == [sent.domain_event_id]


def test_who_has_seen_an_alarm_signs_it(event: Event, entries: list[Entry]) -> None:
    marshal = official(event.organization, "marshal")
    made = marshal.post("acknowledgements", {"entry": str(entries[0].id), "alarm_ts": 1_780_000_000_000})
    assert (made.status, made.json["author"]) == (201, str(marshal.user.pk))  # type: ignore[union-attr]
    assert official(event.organization, "viewer").get("acknowledgements").status == 403
