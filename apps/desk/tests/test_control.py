"""Race control at the desk: each act by its form, what it says before it acts, and what other pages say of it."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from redis import Redis

from apps.desk.tests import office as offices
from apps.desk.tests.office import Office, signed_in
from apps.penalties.factories import PenaltyFormulaFactory
from apps.penalties.models import Decision, EntryIncident
from apps.racelog.factories import RaceControlSettingsFactory
from apps.racelog.models import LogLine
from apps.scoring.factories import ResultRevisionFactory
from apps.scoring.models import StageResult
from apps.timing.models import StartList

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(redis: Redis) -> Office:
    return offices.build(5)


@pytest.fixture
def director(office: Office) -> Client:
    return signed_in(office, "race-director")


Say = Callable[..., str]


@pytest.fixture
def say(office: Office, director: Client) -> Say:
    def post(act: str, **data: str) -> str:
        """The page after an act, as text."""
        answer = director.post(office.page("control"), {"act": act, **data}, follow=True)
        assert answer.status_code == 200
        return answer.content.decode()

    return post


def last() -> LogLine:
    return LogLine.objects.latest("created_at")


def test_a_note_keeps_its_crew_and_the_time_that_was_typed(office: Office, say: Say) -> None:
    at = timezone.localtime(timezone.now() - timedelta(minutes=7)).replace(microsecond=0)
    assert "Written: note" in say("note", text="seen at CP 2", number="302", at=f"{_tirane(at):%H:%M:%S}")
    line = last()
    assert (line.text, line.entry, line.at) == ("seen at CP 2", office.entries[1], at)
    assert "no race number 999" in say("note", text="x", number="999")
    assert "is no time" in say("note", text="x", at="soon")


def _tirane(at: datetime) -> datetime:
    return at.astimezone(ZoneInfo("Europe/Tirane"))


def test_a_hold_shows_on_every_page_until_it_is_released(office: Office, director: Client, say: Say) -> None:
    say("hold", text="goats on the track")
    for page in ("stage", "timing", "results", "control"):
        assert "STARTS HELD" in director.get(office.page(page)).content.decode()
    assert "The starts are held: release them" in director.get(office.page("stage")).content.decode()
    director.post(office.page("starts"), {"act": "publish"})
    asked = director.get(office.page("control", ask="release"))
    assert asked.context["since"] is not None
    assert "The starts go on" in say("release", text="gone")
    assert "STARTS HELD" not in director.get(office.page("stage")).content.decode()


def test_a_start_typed_while_starts_are_held_is_asked_about(office: Office, director: Client, say: Say) -> None:
    say("hold", text="wind")
    now = timezone.now()
    said = {
        "id": str(uuid4()), "number": "301", "time": f"{_tirane(now + timedelta(seconds=1)):%H%M%S}",
        "control": str(office.controls[0].pk), "source": "timekeeper", "at": int(now.timestamp() * 1000),
    }  # fmt: skip
    answer = director.post(office.page("timing_write"), said, "application/json")
    assert answer.status_code == 409 and "held" in answer.json()["doubts"]


def test_a_release_says_who_starts_when_and_moves_them(office: Office, director: Client, say: Say) -> None:
    office.stage.starts_at = timezone.now().replace(microsecond=0) + timedelta(minutes=5)
    office.stage.save()
    director.post(office.page("starts"), {"act": "publish"})
    say("hold", text="wind")
    asked = director.get(office.page("control", ask="release"))
    assert [row.number for row in asked.context["waiting"]] == [301, 302, 303, 304, 305]
    first = _tirane(office.stage.starts_at + timedelta(minutes=20))
    assert "5 crews start 0:20:00 later" in say("release", text="wind over", first=f"{first:%H:%M:%S}")
    line = last()
    assert StartList.objects.filter(stage=office.stage).count() == 2
    shown = director.get(office.page("control", ask="take-back", line=str(line.pk))).content.decode()
    assert "go back to where they were" in shown
    say("take-back", line=str(line.pk), text="wrong hour")
    assert StartList.objects.filter(stage=office.stage).count() == 3
    assert director.get(office.page("control")).context["control"].state.hold is not None


def test_go_and_no_go_open_the_stage_or_keep_it_shut(office: Office, director: Client, say: Say) -> None:
    opening = office.page("starts", publish="1")
    assert "Not ready: medical, sweep, timing" in director.get(opening).content.decode()
    assert "Say what is missing" in say("no-go", about="medical", text="")
    say("no-go", about="medical", text="doctor on the way")
    assert "medical: no-go" in director.get(opening).content.decode()
    assert "nobody of that name" in say("go", about="nobody")
    RaceControlSettingsFactory(event=office.event, opening="refuse", services=["medical"])
    refused = director.post(office.page("starts"), {"act": "publish"}).content.decode()
    assert "Not ready: medical: no-go" in refused and not StartList.objects.exists()
    say("go", about="medical")
    director.post(office.page("starts"), {"act": "publish"})
    assert StartList.objects.get().version == 1


def test_a_false_start_goes_to_the_rules_and_comes_back(office: Office, director: Client, say: Say) -> None:
    assert "the penalty follows" in say("false-start", number="301", gained="1.6")
    assert EntryIncident.objects.get().value_ms == 1600
    say("take-back", line=str(last().pk), text="it was 302")
    assert EntryIncident.objects.get().withdrawn_at is not None
    assert "Name the crew" in say("false-start", number="")


def test_an_incident_with_a_penalty_is_told_to_the_rules_and_any_other_is_not(office: Office, say: Say) -> None:
    PenaltyFormulaFactory(event=office.event, type="incident", target="road_offence", penalty=60)
    say("incident", what="accident", number="302", text="rolled, crew well", place="km 12")
    assert (last().place, last().data, EntryIncident.objects.count()) == ("km 12", {"what": "accident"}, 0)
    say("incident", what="road_offence", number="302", text="police, 90 in the village")
    assert EntryIncident.objects.get().kind == "road_offence"


def test_a_stopped_stage_gives_its_crews_a_time(office: Office, director: Client, say: Say) -> None:
    """303 and on were on course; 305 caused it. The fastest home before is proposed, and can be set aside."""
    say("red", text="")
    red = last()
    StageResult.objects.filter(entry__in=office.entries[2:]).update(status="running")
    for entry in office.entries[2:]:
        result = StageResult.objects.get(entry=entry)
        result.outcome["segments"][0] |= {"finish_ts": None, "net_ms": None}
        result.save()
    stopped = office.page("stopped", red.pk)
    rows = director.get(stopped).context["rows"]
    assert [(row.met.entry.race_number, row.role, row.proposal.time_ms) for row in rows] == [
        (303, "red", 1_200_000), (304, "red", 1_200_000), (305, "red", 1_200_000),
    ]  # fmt: skip
    said = {"seeding": "reverse", "role-303": "red", "role-304": "", "role-305": "cause", "aside": "301"}
    rows = director.get(stopped, said).context["rows"]
    assert [(row.role, row.proposal.article if row.proposal else None) for row in rows] == [
        ("red", "4.37"), ("", None), ("cause", "4.36"),
    ]  # fmt: skip
    awarded = director.post(stopped, said | {"time-303": "0:20:00", "text": "shown red at km 12"}, follow=True)
    assert "1 notional times are decided" in awarded.content.decode()
    decision = Decision.objects.get()
    assert (decision.entry, decision.params["ms"], decision.article) == (office.entries[2], 1_200_000, "4.37")
    assert "Choose who gets a time" in director.post(stopped, said | {"text": "x"}).content.decode()
    say("take-back", line=str(last().pk), text="stewards")
    assert Decision.objects.get().revoked_at is not None


def test_a_protest_is_named_where_results_are_published(office: Office, director: Client, say: Say) -> None:
    ResultRevisionFactory(
        event=office.event, stage=office.stage, number=1, state="provisional",
        protest_until=timezone.now() + timedelta(minutes=20),
    )  # fmt: skip
    say("protest", number="303", text="waypoint 4")
    protest = last()
    asked = director.get(office.page("results", publish="official")).content.decode()
    assert "1 protest is still to be heard: before that it is refused" in asked
    assert "Protests are heard until" in asked
    assert "waypoint 4" in director.get(office.page("results")).content.decode()
    say("hear", line=str(protest.pk), text="upheld, decision 12")
    asked = director.get(office.page("results", publish="amended")).content.decode()
    assert "upheld, decision 12" in asked and "still to be heard" not in asked
    assert "was heard, or is gone" in say("hear", line=str(protest.pk), text="again")


def test_a_contradiction_is_settled_with_a_reason_and_comes_back_when_it_changes(
    office: Office, director: Client
) -> None:
    result = StageResult.objects.get(entry=office.entries[1])
    result.outcome["conflicts"] = ["withdrawn, but the evidence shows finished"]
    result.save()
    page = office.page("review", kind="conflict")
    [one] = director.get(page).context["shown"]
    refused = director.post(page, {"act": "settle", "case": one.case.key, "reason": " "}).content.decode()
    assert "it stays in the log" in refused
    director.post(page, {"act": "settle", "case": one.case.key, "reason": "rode home by road"})
    assert not director.get(page).context["shown"]
    line = last()
    assert (line.kind, line.entry) == ("settled", office.entries[1]) and "rode home by road" in line.text
    result.outcome["conflicts"] = ["withdrawn, but the evidence shows running"]
    result.save()
    assert len(director.get(page).context["shown"]) == 1
    marshal = signed_in(office, "marshal")
    assert marshal.post(page, {"act": "settle", "case": one.case.key, "reason": "x"}).status_code == 403


def test_a_time_in_doubt_is_left_as_it_is(office: Office, director: Client) -> None:
    page = office.page("review", kind="time")
    [one] = director.get(page).context["shown"]
    director.post(page, {"act": "settle", "case": one.case.key, "reason": "the beam runs fast"})
    assert not director.get(page).context["shown"] and not Decision.objects.exists()


def test_who_may_not_sees_no_button_and_is_refused(office: Office, say: Say) -> None:
    """A marshal writes, reports and says go, and holds or stops nothing; a viewer has no such page."""
    marshal, page = signed_in(office, "marshal"), office.page("control")
    assert marshal.post(page, {"act": "note", "text": "dust"}).status_code == 302
    assert marshal.post(page, {"act": "go", "about": "timing"}).status_code == 302
    for act in ("hold", "red", "protest"):
        assert marshal.post(page, {"act": act, "text": "x", "number": "301"}).status_code == 403, act
    say("hold", text="wind")
    for wrong in ({"act": "release", "text": "x"}, {"act": "take-back", "line": str(last().pk), "text": "x"}):
        assert marshal.post(page, wrong).status_code == 403
    assert 'value="hold"' not in marshal.get(page).content.decode()
    assert signed_in(office, "viewer").get(page).status_code in (302, 403)


def test_the_log_is_printed_with_what_was_taken_back(office: Office, director: Client, say: Say) -> None:
    say("note", text="=SUM(1)")
    say("note", text="radio check")
    say("take-back", line=str(last().pk), text="wrong event")
    for kind, key in (("race-log-of-stage", office.stage.pk), ("race-log", office.event.pk)):
        sheet = director.get(f"/documents/{kind}/{key}.csv")
        text = sheet.content.decode("utf-8-sig")
        assert sheet.status_code == 200 and "radio check" in text and "wrong event" in text and "'=SUM(1)" in text
        paper = b"".join(director.get(f"/documents/{kind}/{key}.pdf"))
        assert io.BytesIO(paper).read(4) == b"%PDF"
        assert Client().get(f"/documents/{kind}/{key}.csv").status_code == 404
