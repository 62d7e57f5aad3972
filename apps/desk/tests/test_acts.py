"""Review, decisions, faulty windows, start lists, results: each act has a reason, an author, and a way back."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.factories import UserFactory
from apps.common.position import Position
from apps.course.factories import SegmentFactory, StageFactory
from apps.desk.tests import office as offices
from apps.desk.tests.office import Office, signed_in
from apps.penalties.factories import PenaltyFormulaFactory
from apps.penalties.models import Decision, EntryPenalty
from apps.scoring.inputs import milliseconds
from apps.scoring.models import ResultRevision
from apps.telemetry.queries import write_positions
from apps.timing.models import StartList, StartOverride

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    return offices.build()


@pytest.fixture
def client(office: Office) -> Client:
    return signed_in(office, "race-director")


@pytest.mark.parametrize(
    ("act", "kind", "more"),
    [("confirm", "confirm_penalty", {}), ("waive", "waive_penalty", {}), ("edit", "edit_penalty", {"ms": 90_000})],
)
def test_a_penalty_is_settled_with_a_reason(
    office: Office, client: Client, act: str, kind: str, more: dict[str, int]
) -> None:
    penalty = EntryPenalty.objects.first()
    assert penalty is not None
    form = {"penalty": str(penalty.pk), "act": act, "value": "1:30"}
    refused = client.post(office.page("review"), form | {"case": f"waypoint:{penalty.entry_id}:{penalty.key}"})
    assert "reason" in refused.content.decode()
    assert not Decision.objects.exists()
    assert client.post(office.page("review"), form | {"reason": "seen on video"}).status_code == 302
    decision = Decision.objects.get()
    assert (decision.kind, decision.params, decision.entry) == (kind, {"key": penalty.key, **more}, penalty.entry)
    assert (decision.reason, decision.stage) == ("seen on video", office.stage)
    left = [one.case.penalty for one in client.get(office.page("review", kind="waypoint")).context["shown"]]
    assert penalty not in left, "nobody decides it twice while the scorer follows"


def test_what_was_typed_is_not_lost_when_it_is_refused(office: Office, client: Client) -> None:
    penalty = EntryPenalty.objects.first()
    assert penalty is not None
    case = f"waypoint:{penalty.entry_id}:{penalty.key}"
    form = {"penalty": str(penalty.pk), "act": "edit", "value": "soon", "reason": "seen on video", "case": case}
    page = client.post(office.page("review"), form).content.decode()
    assert "seen on video" in page
    assert "soon" in page


def test_a_doubtful_time_is_confirmed_and_leaves_the_queue(office: Office, client: Client) -> None:
    page = client.get(office.page("review", kind="time"))
    [shown] = page.context["shown"]
    assert shown.case.control == str(office.controls[2].pk)
    assert len(shown.times) == 1
    form = {
        "entry": shown.case.entry,
        "control": shown.case.control,
        "act": str(shown.times[0].ts),
        "reason": "beam late",
    }
    assert client.post(office.page("review"), form).status_code == 302
    assert Decision.objects.get().params == {"control": shown.case.control, "ts": shown.times[0].ts}
    assert client.get(office.page("review", kind="time")).context["shown"] == []


def test_a_decision_is_asked_about_once_more_before_it_is_made(office: Office, client: Client) -> None:
    form = {"kind": "set_status", "number": "302", "status": "dnf", "reason": "towed in"}
    asked = client.post(office.page("decisions"), form)
    assert "No. 302, Stage 1" in asked.context["confirm"]
    assert not Decision.objects.exists()
    client.post(office.page("decisions"), form | {"confirmed": "1"})
    assert Decision.objects.get().params == {"status": "dnf"}


def test_a_decision_is_revoked_with_a_reason_and_stays(office: Office, client: Client) -> None:
    form = {"kind": "set_status", "number": "302", "status": "dnf", "reason": "towed in", "confirmed": "1"}
    client.post(office.page("decisions"), form)
    decision = Decision.objects.get()
    revoke = office.page("revoke", decision.pk)
    assert "why" in client.post(revoke, {"reason": " "}).content.decode()
    client.post(revoke, {"reason": "it was another crew"})
    decision.refresh_from_db()
    assert decision.revoked_reason == "it was another crew"


def fixes(office: Office, count: int = 20) -> str:
    """A fix a second of the first entry's tracker from the start; its IMEI."""
    device = office.entries[0].device_links.get().device
    start = milliseconds(office.stage.starts_at)
    write_positions(
        [Position(device.imei, start + n * 1000, 41 + n / 10_000, 20.0, satellites=9) for n in range(count)]
    )
    return str(device.imei)


def faulty() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from positions where faulty")
        return int(cursor.fetchone()[0])


def test_a_window_is_flagged_faulty_and_let_go_again(office: Office, client: Client) -> None:
    fixes(office)
    page = client.get(office.page("positions", number="301"))
    shown = page.context["fixes"]
    assert len(shown) == 20
    at = [f"{row}" for row in (_clock(office, shown[5].ts), _clock(office, shown[9].ts))]
    address = office.page("positions", number="301")
    client.post(address, {"act": "flag", "from": at[0], "to": at[1], "reason": "jumped into the sea"})
    assert faulty() == 5
    decision = Decision.objects.get()
    client.post(address, {"act": "revoke", "decision": str(decision.pk), "reason": "it was a ferry"})
    assert faulty() == 0


def _clock(office: Office, ts: int) -> str:
    from zoneinfo import ZoneInfo

    from apps.common.position import instant

    return f"{instant(ts).astimezone(ZoneInfo(office.event.time_zone)):%H:%M:%S.%f}"[:-3]


def test_a_timekeeper_flags_nothing(office: Office) -> None:
    fixes(office)
    answer = signed_in(office, "timekeeper").post(office.page("positions", number="301"), {"act": "flag"})
    assert answer.status_code == 403


def test_a_start_list_is_published_moved_and_published_again(office: Office, client: Client) -> None:
    following = StageFactory.create(event=office.event, name="Stage 2", starts_at=timezone.now() + timedelta(hours=20))
    SegmentFactory.create(stage=following)
    address = office.page("starts", stage=str(following.sort_order))
    client.post(address, {"act": "publish"})
    assert StartList.objects.get().version == 1
    client.post(address, {"act": "move", "number": "303", "position": "1", "reason": "lost time helping"})
    page = client.get(address)
    assert [line.row.number for line in page.context["lines"]] == [303, 301, 302]
    assert page.context["changes"] == 3
    client.post(address, {"act": "publish", "reason": "bulletin 2"})
    assert StartList.objects.latest("version").version == 2
    undo = {"act": "revoke", "override": str(StartOverride.objects.get().pk)}
    assert (
        "Undo the move of No. 303?"
        in client.get(office.page("starts", undo="303", stage=str(following.sort_order))).content.decode()
    )
    assert "reason" in client.post(address, undo).context["error"]
    client.post(address, undo | {"reason": "the bulletin was wrong"})
    assert [line.row.number for line in client.get(address).context["lines"]] == [301, 302, 303]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"number": "999", "position": "1", "reason": "x"}, "999"),
        ({"number": "303", "reason": "x"}, "one of"),
        ({"number": "303", "position": "1"}, "reason"),
        ({"number": "303", "at": "late", "reason": "x"}, "late"),
    ],
)
def test_a_move_that_cannot_be_says_why(office: Office, client: Client, form: dict[str, str], says: str) -> None:
    page = client.post(office.page("starts"), {"act": "move"} | form)
    assert says in page.context["error"]
    assert form["number"] in page.content.decode(), "what was typed is not lost"
    assert not StartOverride.objects.exists()


def test_publishing_names_what_will_happen_first(office: Office, client: Client) -> None:
    page = client.get(office.page("results", publish="provisional"))
    assert page.context["number"] == 1
    assert "Protests are heard until" in page.content.decode()
    assert not ResultRevision.objects.exists()


def test_what_cannot_be_published_says_why_on_the_page(office: Office, client: Client) -> None:
    PenaltyFormulaFactory.create(event=office.event, type="missed_waypoint", penalty=None)
    assert client.get(office.page("results", publish="provisional")).context["blocking"]
    page = client.post(office.page("results"), {"state": "provisional", "minutes": "30"})
    assert page.context["error"]
    assert not ResultRevision.objects.exists()


def test_lines_that_moved_since_they_were_published_are_told(office: Office, client: Client) -> None:
    lines = [
        {"entry": str(entry.pk), "status": "finished", "total_ms": 1_200_000 + n * 60_000, "rank": n + 1}
        for n, entry in enumerate(office.entries)
    ]
    ResultRevision.objects.create(
        event=office.event, stage=office.stage, number=1, state="provisional", published_by=UserFactory(),
        snapshot={"results": lines}, hash="0" * 64,
    )  # fmt: skip
    assert client.get(office.page("results")).context["moved"] == []
    office.entries[1].stage_results.update(total_ms=1_200_000)
    [moved] = client.get(office.page("results")).context["moved"]
    assert (moved.number, moved.then[1], moved.now[1]) == (302, 1_260_000, 1_200_000)
    assert "1 line differs" in client.get(office.page("stage")).content.decode()
