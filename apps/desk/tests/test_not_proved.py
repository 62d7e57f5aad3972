"""A waypoint that is not proved, in the review queue: which gap says so, and the two answers to it (rulebook 2.2)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override

from apps.desk.tests import office as offices
from apps.desk.tests.office import Office, signed_in
from apps.penalties.models import Decision, EntryPenalty
from apps.scoring.inputs import milliseconds

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    return offices.build(2)


def not_proved(office: Office) -> EntryPenalty:
    """The second crew's WPM: nothing was recorded from the fifth to the seventh minute."""
    begin = milliseconds(office.stage.starts_at) + 300_000
    penalty = EntryPenalty.objects.get()
    penalty.seconds = 0
    penalty.inputs = {
        "waypoint": str(office.controls[1].pk), "waypoint_type": "WPM", "order": 1, "count": 1, "case": "unproved",
        "gap_begins_ts": begin, "gap_ends_ts": begin + 120_000, "last_fix_ts": begin, "next_fix_ts": begin + 120_000,
        "needed_kmh": 40, "arithmetic": "not proved; WPM missed: 0:15:00",
        "review": ["no tracker recorded when it may have been passed: an official decides"],
    }  # fmt: skip
    penalty.save()
    return penalty


def local(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts // 1000, UTC).astimezone(ZoneInfo('Europe/Tirane')):%H:%M:%S}"


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("It was missed", "It was passed")), ("sq", ("U humb", "U kalua", "e paprovuar"))],
)
def test_the_queue_tells_the_gap_and_asks_what_it_was(office: Office, language: str, words: tuple[str, ...]) -> None:
    inputs = not_proved(office).inputs
    client = signed_in(office, "race-director")
    client.cookies["django_language"] = language
    with override(language):
        page = client.get(office.page("review", kind="waypoint")).content.decode()
    for text in (*words, local(inputs["gap_begins_ts"]), local(inputs["gap_ends_ts"]), "40 km/h", "0:15:00"):
        assert text in page


@pytest.mark.parametrize(("act", "kind"), [("confirm", "confirm_penalty"), ("waive", "waive_penalty")])
def test_either_answer_is_a_decision_on_the_case(office: Office, act: str, kind: str) -> None:
    penalty = not_proved(office)
    form = {"penalty": str(penalty.pk), "act": act, "reason": "The camera shows it"}
    assert signed_in(office, "race-director").post(office.page("review"), form).status_code == 302
    decision = Decision.objects.get()
    assert (decision.kind, decision.params) == (kind, {"key": penalty.key})
