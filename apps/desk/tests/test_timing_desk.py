"""Times entered by hand: asked about when in doubt, written once, taken back by another act, never lost or edited."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.desk.tests import office as offices
from apps.desk.tests.office import Office, signed_in
from apps.scoring.inputs import load
from apps.timing.models import TimingRecord

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    return offices.build()


@pytest.fixture
def client(office: Office) -> Client:
    return signed_in(office, "timekeeper")


def said(office: Office, **values: Any) -> dict[str, Any]:
    """A time at the WPM five minutes after the start: one that fits."""
    at = office.stage.starts_at + timedelta(minutes=5)
    now = timezone.now()
    return {
        "id": str(uuid.uuid4()), "number": "301", "time": f"{at.astimezone(zone(office)):%H:%M:%S}.6",
        "control": str(office.controls[1].pk), "source": "timekeeper", "at": round(now.timestamp() * 1000), **values,
    }  # fmt: skip


def zone(office: Office) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(office.event.time_zone)


def write(office: Office, client: Client, body: Any) -> HttpResponse:
    content = body if isinstance(body, str) else json.dumps(body)
    return client.post(office.page("timing_write"), content, content_type="application/json")  # type: ignore[return-value]


def test_a_time_is_written_with_its_author_and_in_the_zone_of_the_event(office: Office, client: Client) -> None:
    answer = write(office, client, said(office))
    assert answer.status_code == 200
    row = TimingRecord.objects.get()
    expected = (office.stage.starts_at + timedelta(minutes=5)).replace(microsecond=600_000)
    assert (row.entry, row.control, row.ts, row.source) == (
        office.entries[0],
        office.controls[1].pk,
        expected,
        "timekeeper",
    )
    assert AuditEntry.objects.filter(table="timing_records", door="admin", user=row.author).exists()


def test_what_is_sent_again_is_written_once_and_answered_the_same(office: Office, client: Client) -> None:
    body = said(office)
    first, second = write(office, client, body), write(office, client, body)
    assert (first.status_code, second.status_code) == (200, 200)
    assert json.loads(first.content)["row"] == json.loads(second.content)["row"]
    assert TimingRecord.objects.count() == 1


def test_a_second_time_at_a_control_is_asked_about_and_not_written(office: Office, client: Client) -> None:
    write(office, client, said(office))
    again = said(office)
    answer = write(office, client, again)
    assert answer.status_code == 409
    assert list(json.loads(answer.content)["doubts"]) == ["again"]
    assert TimingRecord.objects.count() == 1
    assert write(office, client, again | {"accepted": ["again"]}).status_code == 200
    assert TimingRecord.objects.count() == 2


def test_what_was_not_shown_cannot_be_accepted(office: Office, client: Client) -> None:
    """Who accepted a second record has not accepted an impossible order."""
    early = said(office, control=str(office.controls[2].pk), accepted=["again"])
    early["time"] = f"{(office.stage.starts_at - timedelta(minutes=1)).astimezone(zone(office)):%H:%M:%S}"
    answer = write(office, client, early)
    assert answer.status_code == 409
    assert {"outside", "before-earlier"} <= json.loads(answer.content)["doubts"].keys()
    assert not TimingRecord.objects.exists()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"number": "999"}, "number"),
        ({"number": "three"}, "number"),
        ({"time": "25:00"}, "time"),
        ({"control": str(uuid.uuid4())}, "control"),
        ({"source": "gps"}, "source"),
        ({"id": "1"}, "id"),
        ({"at": "noon"}, "at"),
    ],
)
def test_what_cannot_be_is_refused_naming_the_field(
    office: Office, client: Client, values: dict[str, str], reason: str
) -> None:
    answer = write(office, client, said(office, **values))
    assert answer.status_code == 400
    assert json.loads(answer.content)["refused"].startswith(reason)
    assert not TimingRecord.objects.exists()


@pytest.mark.parametrize("body", ["", "{", "[]", "null"])
def test_what_is_no_json_object_is_refused(office: Office, client: Client, body: str) -> None:
    assert write(office, client, body).status_code == 400


def test_an_id_used_for_another_time_is_not_answered_as_written(office: Office, client: Client) -> None:
    body = said(office)
    write(office, client, body)
    other = offices.build()
    stranger = signed_in(other, "timekeeper")
    answer = write(other, stranger, said(other, id=body["id"]))
    assert answer.status_code == 400
    assert TimingRecord.objects.count() == 1


def test_undo_withdraws_the_record_with_a_reason_and_scoring_leaves_it_out(office: Office, client: Client) -> None:
    body = said(office)
    write(office, client, body)
    entry = str(office.entries[0].pk)
    assert len(load(str(office.event.pk), [entry]).entries[entry].marks) == 1
    nothing = client.post(office.page("timing_undo"), {"id": body["id"]}, content_type="application/json")
    assert nothing.status_code == 400
    answer = client.post(
        office.page("timing_undo"), {"id": body["id"], "reason": "wrong number"}, content_type="application/json"
    )
    assert json.loads(answer.content)["row"]["state"] == "withdrawn"
    row = TimingRecord.objects.get()
    assert (row.withdrawn_reason, row.withdrawn_by, bool(row.withdrawn_at)) == ("wrong number", row.author, True)
    assert AuditEntry.objects.filter(table="timing_records", action="update", reason="wrong number").exists()
    assert load(str(office.event.pk), [entry]).entries[entry].marks == ()
    assert write(office, client, said(office)).status_code == 200, "the right time can be entered again"


def test_a_record_of_another_event_cannot_be_undone(office: Office, client: Client) -> None:
    body = said(office)
    write(office, client, body)
    other = offices.build()
    answer = signed_in(other, "race-director").post(
        other.page("timing_undo"), {"id": body["id"], "reason": "x"}, content_type="application/json"
    )
    assert answer.status_code == 404
    assert TimingRecord.objects.get().withdrawn_at is None


def test_who_may_not_record_times_writes_none(office: Office) -> None:
    viewer = offices.official(office, "viewer")
    viewer.is_staff = True
    viewer.save()
    client = Client()
    client.force_login(viewer)
    assert write(office, client, said(office)).status_code == 403
    assert not TimingRecord.objects.exists()


def test_the_start_lists_who_is_due(office: Office, client: Client) -> None:
    """Only who was not seen at a control is still to come to it."""
    wpm = client.get(office.page("timing", control=str(office.controls[1].pk)))
    assert wpm.context["due"] == []  # all of them are home
    office.entries[0].stage_results.update(status="running")
    wpm = client.get(office.page("timing", control=str(office.controls[1].pk)))
    assert [one["number"] for one in wpm.context["due"]] == [301]
    assert client.get(office.page("timing", at="start")).context["spot"].name == "DSS"
