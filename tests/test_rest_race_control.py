"""Race control over REST: the log, holds, red signals, go and no-go, protests; by the same services as the desk."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import AuditEntry
from apps.course.factories import SegmentFactory, WaypointFactory
from apps.course.models import Stage
from apps.events.factories import EntryFactory, EventFactory
from apps.events.models import Entry, Event
from apps.penalties.factories import PenaltyFormulaFactory
from apps.penalties.models import Decision, EntryIncident
from apps.racelog.factories import LogLineFactory
from apps.racelog.models import LogLine
from apps.rest.tests.client import Api, official
from tests.rest_rally import START, event_that_is_on, stage_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture
def event() -> Event:
    return event_that_is_on()


@pytest.fixture
def stage(event: Event) -> Stage:
    return stage_of(event, ("DSS", "ASS"))


@pytest.fixture
def entries(event: Event) -> list[Entry]:
    return [EntryFactory(event=event, race_number=number) for number in (301, 302)]


@pytest.fixture
def director(event: Event) -> Api:
    return official(event.organization, "race-director")


def told(answer: Any) -> set[str]:
    return {error["message"] for error in answer.json["errors"]}


def test_a_line_is_added_and_stays(director: Api, event: Event, entries: list[Entry]) -> None:
    body = {
        "event": str(event.id),
        "kind": "note",
        "entry": str(entries[0].id),
        "text": "Lights broken",
        "place": "km 6",
    }
    made = director.post("race_log", body)
    assert (made.status, made.json["kind"], made.json["author"]) == (201, "note", str(director.user.pk))  # type: ignore[union-attr]
    address = made.headers["Location"].removeprefix("/api/v1/")
    assert director.get(address, If_None_Match=made.headers["ETag"]).status == 304
    assert director.patch(address, {"text": "x"}).status == director.delete(address).status == 405
    assert director.post("race_log", body | {"text": " "}).status == 422
    assert director.post("race_log", body | {"kind": "hold"}).fields == {"kind"}
    assert director.post("race_log", body | {"author": "x"}).fields == {"author"}
    line = AuditEntry.objects.filter(table="race_log").latest("id")
    assert (line.door, line.row_id, line.reason) == ("rest", made.json["id"], "Lights broken")


def test_the_log_is_listed_filtered_and_joined(director: Api, event: Event, entries: list[Entry]) -> None:
    for number, entry in enumerate(entries):
        LogLineFactory(event=event, entry=entry, text=f"word {number}", at=START + timedelta(minutes=number))
    LogLineFactory(text="of another event")
    rows = director.get(f"race_log?event={event.id}&expand=entry").rows
    assert [row["entry"]["race_number"] for row in rows] == [302, 301]
    assert [row["text"] for row in director.get(f"race_log?entry={entries[0].id}").rows] == ["word 0"]
    assert [row["text"] for row in director.get("race_log?search=word+1&kind=note").rows] == ["word 1"]
    assert len(director.get(f"race_log?at__gt={START:%Y-%m-%dT%H:%M:%SZ}").rows) == 1
    first = director.get("race_log?limit=1").json
    assert [row["text"] for row in director.get(first["next"].removeprefix("/api/v1/")).rows] == ["word 0"]


def test_a_false_start_and_an_incident_of_the_rules_reach_them(
    director: Api, event: Event, stage: Stage, entries: list[Entry]
) -> None:
    PenaltyFormulaFactory(event=event, type="incident", target="road_offence")
    base = {"event": str(event.id), "stage": str(stage.id), "entry": str(entries[0].id), "text": "Seen"}
    early = director.post("race_log", base | {"kind": "false-start", "gained_ms": 1500})
    assert (early.json["data"]["value_ms"], early.json["data"]["code"]) == (1500, "false_start")
    offence = director.post("race_log", base | {"kind": "incident", "what": "road_offence"})
    assert director.post("race_log", base | {"kind": "incident", "what": "breakdown"}).json["data"] == {
        "what": "breakdown"
    }
    kinds = EntryIncident.objects.filter(withdrawn_at=None).values_list("kind", flat=True)
    assert sorted(kinds) == ["false_start", "road_offence"]
    assert director.post("race_log", base | {"kind": "false-start", "stage": None}).status == 422
    back = director.post(f"race_log/{offence.json['id']}/take_back", {"reason": "Another car"})
    assert (back.status, back.json["takes_back"]) == (201, offence.json["id"])
    assert list(kinds.all()) == ["false_start"]
    assert director.post(f"race_log/{offence.json['id']}/take_back", {"reason": "Again"}).status == 422


def test_starts_are_held_and_go_on_later(director: Api, stage: Stage, entries: list[Entry]) -> None:
    director.post(f"stages/{stage.id}/open")
    assert director.post(f"stages/{stage.id}/hold", {}).fields == {"reason"}
    at = (START - timedelta(minutes=5)).isoformat()
    held = director.post(f"stages/{stage.id}/hold", {"reason": "Fog", "at": at}, Idempotency_Key="h1")
    again = director.post(f"stages/{stage.id}/hold", {"reason": "Fog", "at": at}, Idempotency_Key="h1")
    assert (held.status, held.content) == (201, again.content)
    twice = director.post(f"stages/{stage.id}/hold", {"reason": "Fog"})
    assert (twice.status, told(twice)) == (422, {"The starts are held already."})
    state = director.get(f"stages/{stage.id}/race_control").json
    assert (state["hold"], [row["number"] for row in state["waiting"]]) == (held.json["id"], [301, 302])
    later = START + timedelta(minutes=30)
    body = {"reason": "It has lifted", "first_start": later.isoformat()}
    released = director.post(f"stages/{stage.id}/release", body)
    assert (released.status, released.json["data"]["by_ms"]) == (201, 1_800_000)
    starts = [row["start_ms"] for row in director.get(f"start_lists?stage={stage.id}").rows[0]["rows"]]
    assert starts[0] == int(later.timestamp() * 1000)
    assert director.get(f"stages/{stage.id}/race_control").json["hold"] is None
    assert director.post(f"stages/{stage.id}/release", {"reason": "x"}).status == 422
    assert director.post(f"race_log/{released.json['id']}/take_back", {"reason": "Fog again"}).status == 201
    assert director.get(f"stages/{stage.id}/race_control").json["hold"] == held.json["id"]


def test_a_red_signal_stops_and_its_times_are_decided(director: Api, stage: Stage, entries: list[Entry]) -> None:
    red = director.post(f"stages/{stage.id}/stop", {"place": "km 40"}).json
    assert (red["kind"], red["place"]) == ("red", "km 40")
    assert director.get(f"stages/{stage.id}/race_control").json["red"] == red["id"]
    assert director.post(f"stages/{stage.id}/restart", {}).json["kind"] == "green"
    assert director.post(f"stages/{stage.id}/restart", {}).status == 422
    segment = str(stage.segments.get().pk)
    award = {"entry": str(entries[0].id), "time_ms": 3_600_000, "article": "4.37"}
    body = {"segment": segment, "reason": "Shown red at km 40", "awards": [award]}
    address = f"race_log/{red['id']}/notional_times"
    assert director.post(address, body | {"awards": []}).fields == {"awards"}
    assert director.post(address, body | {"segment": str(SegmentFactory().pk)}).fields == {"segment"}
    stray = {"awards": [award | {"entry": str(EntryFactory().pk)}]}
    assert director.post(address, body | stray).fields == {"awards.0.entry"}
    made = director.post(address, body)
    assert (made.status, made.json["data"]["numbers"]) == (201, [301])
    (decision,) = Decision.objects.filter(kind="notional_time")
    assert (decision.params["ms"], decision.article) == (3_600_000, "4.37")
    assert director.post(f"race_log/{made.json['id']}/notional_times", body).status == 422
    director.post(f"race_log/{made.json['id']}/take_back", {"reason": "Wrong crew"})
    decision.refresh_from_db()
    assert decision.revoked_at is not None


def test_services_and_controls_report_before_the_stage_opens(director: Api, event: Event, stage: Stage) -> None:
    assert director.post("race_control_settings", {"event": str(event.id), "opening": "refuse"}).status == 201
    refused = director.post(f"stages/{stage.id}/open")
    assert (refused.status, "Not ready" in refused.json["detail"]) == (409, True)
    missing = director.post(f"stages/{stage.id}/report", {"about": "medical", "ready": False})
    assert (missing.status, told(missing)) == (422, {"Say what is missing."})
    director.post(f"stages/{stage.id}/report", {"about": "medical", "ready": False, "text": "No driver"})
    posts = {post["about"]: post for post in director.get(f"stages/{stage.id}/race_control").json["posts"]}
    assert (posts["medical"]["said"]["kind"], posts["sweep"]["said"], posts["radio"]["needed"]) == (
        "no-go",
        None,
        False,
    )
    control = next(key for key, post in posts.items() if post["name"].endswith("DSS 1"))
    assert director.post(f"stages/{stage.id}/report", {"about": "nobody", "ready": True}).status == 422
    for about in ("medical", "sweep", "timing", control):
        assert director.post(f"stages/{stage.id}/report", {"about": about, "ready": True}).status == 201
    state = director.get(f"stages/{stage.id}/race_control").json
    assert (state["missing"], state["refuses"]) == ("", True)
    assert director.post(f"stages/{stage.id}/open").status == 200


def test_a_protest_is_taken_and_heard_once(director: Api, stage: Stage, entries: list[Entry]) -> None:
    body = {"event": str(stage.event_id), "stage": str(stage.id), "kind": "protest", "text": "Blocked at km 12"}
    assert director.post("race_log", body).status == 422
    lodged = director.post("race_log", body | {"entry": str(entries[1].id)}).json
    assert director.get(f"stages/{stage.id}/race_control").json["protests"] == [lodged["id"]]
    assert director.post(f"race_log/{lodged['id']}/hear", {}).fields == {"text"}
    heard = director.post(f"race_log/{lodged['id']}/hear", {"text": "Refused"})
    assert (heard.status, heard.json["about"], heard.json["entry"]) == (201, lodged["id"], str(entries[1].id))
    assert director.get(f"stages/{stage.id}/race_control").json["protests"] == []
    assert director.post(f"race_log/{lodged['id']}/hear", {"text": "Again"}).status == 422


def test_a_control_is_named_and_no_other_event_s(director: Api, stage: Stage) -> None:
    control = stage.segments.get().waypoints.get(type="DSS")
    line = director.post(f"stages/{stage.id}/hold", {"reason": "x", "control": str(control.pk), "place": "left side"})
    assert line.json["place"].endswith("DSS 1 · left side")
    stray = str(WaypointFactory().pk)
    assert director.post(f"stages/{stage.id}/stop", {"control": stray}).fields == {"control"}
    assert director.post(f"stages/{stage.id}/stop", {"control": 5}).status == 400


def test_who_may_not_changes_nothing(event: Event, stage: Stage) -> None:
    """A timekeeper reads the log and says go, and holds no start; a viewer and another organization see nothing."""
    line = LogLineFactory(event=event, stage=stage)
    keeper = official(event.organization, "timekeeper")
    assert keeper.post(f"stages/{stage.id}/report", {"about": "timing", "ready": True}).status == 201
    for act in ("hold", "release", "stop", "restart"):
        assert keeper.post(f"stages/{stage.id}/{act}", {"reason": "x"}).status == 403
    protest = {"event": str(event.id), "kind": "protest", "text": "x"}
    assert keeper.post("race_log", protest).status == 403
    for api in (official(event.organization, "viewer"), official(EventFactory().organization)):
        assert api.get(f"race_log/{line.pk}").status == api.post(f"race_log/{line.pk}/take_back", {}).status == 404
        assert api.get(f"stages/{stage.id}/race_control").status in (403, 404)
        assert api.post("race_log", protest | {"kind": "note"}).status == 403
    assert LogLine.objects.count() == 2


def test_the_state_and_the_log_cost_the_same_however_long_the_log_is(
    director: Api, event: Event, stage: Stage, entries: list[Entry]
) -> None:
    counts = []
    for many in (1, 60):
        for _ in range(many):
            LogLineFactory(event=event, stage=stage, entry=entries[0])
            LogLineFactory(event=event, stage=stage, entry=entries[1], kind="protest")
        for path in (f"race_log?event={event.id}&expand=entry,stage", f"stages/{stage.id}/race_control"):
            director.get(path)
            with CaptureQueriesContext(connection) as seen:
                assert director.get(path).status == 200
            counts.append(len(seen))
    assert counts[:2] == counts[2:] == [3, 6]
