"""What of an event's rules is open, what of it forbids publishing, and where an official sees it."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.course.factories import SegmentFactory, SpeedLimitZoneFactory, StageFactory, WaypointFactory
from apps.events.factories import EventFactory
from apps.events.models import Event
from apps.penalties.checklist import ITEM_OF, blocking_settings, open_settings
from apps.penalties.domain.evaluate import EVALUATORS
from apps.penalties.factories import PenaltyFormulaFactory, RuleAnswerFactory
from apps.penalties.models import PenaltyFormula, RuleAnswer
from apps.penalties.profiles.files import load_shipped, shipped
from apps.penalties.profiles.questions import QUESTIONS
from apps.penalties.profiles.store import Wish, apply_rules

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return EventFactory()


def sentences(event: Event, key: str) -> list[str]:
    return [one.sentence for one in open_settings(event) if one.key == key]


def test_an_empty_event_has_every_item_of_the_checklist_open(event: Event) -> None:
    found = open_settings(event)
    assert {one.key for one in found} == set(QUESTIONS)
    assert {one.number for one in found} == set(range(1, 15))
    assert not blocking_settings(event)


def test_every_evaluator_belongs_to_an_item() -> None:
    assert set(ITEM_OF) == set(EVALUATORS) and set(ITEM_OF.values()) <= set(QUESTIONS)


@pytest.mark.parametrize(("name", "count"), [
    ("fim-2022", 3), ("fim-2023", 4), ("fim-2025", 1), ("msuk-2026", 0), ("rally-albania", 7), ("serres", 1),
])  # fmt: skip
def test_what_the_shipped_profiles_leave_open_forbids_publishing(event: Event, name: str, count: int) -> None:
    """A template refuses until its brackets are filled; a rule that is switched off does not count."""
    assert name in shipped()
    apply_rules(event, load_shipped(name), Wish())
    blocking = blocking_settings(event)
    assert len(blocking) == count
    assert [one for one in open_settings(event) if one.blocking] == sorted(blocking, key=lambda one: one.number)
    PenaltyFormula.objects.filter(event=event, penalty=None).update(enabled=False)
    assert not blocking_settings(event)


def test_a_filled_template_may_be_published(event: Event) -> None:
    apply_rules(event, load_shipped("rally-albania"), Wish())
    PenaltyFormula.objects.filter(event=event).update(penalty=60)
    assert not blocking_settings(event)


def test_a_rule_nobody_can_compute_forbids_publishing(event: Event) -> None:
    PenaltyFormulaFactory(event=event, bracket_mode="whole")
    (one,) = blocking_settings(event)
    assert "mode: missed_waypoint knows flat_max" in one.sentence and one.key == "waypoint_penalties"


def test_an_answer_settles_its_item_until_something_of_it_is_open(event: Event) -> None:
    answer = RuleAnswerFactory(event=event, key="protest_time", answer="30 min")
    assert sentences(event, "protest_time") == []
    RuleAnswer.objects.filter(pk=answer.pk).update(still_open="In which language?")
    assert sentences(event, "protest_time") == ["Still open: In which language?"]
    RuleAnswer.objects.filter(pk=answer.pk).update(still_open="", answer="")
    assert sentences(event, "protest_time") == ["Not answered: Protest time."]


def test_the_course_tells_what_no_rule_prices(event: Event) -> None:
    """What the database can tell is told, whatever was answered."""
    for key in QUESTIONS:
        RuleAnswerFactory(event=event, key=key)
    special = SegmentFactory(stage=StageFactory(event=event, name="Day 1"), name="SS1")
    WaypointFactory(segment=special, type="WPS")
    WaypointFactory(segment=special, type="WPM")
    SpeedLimitZoneFactory(segment=special)
    SegmentFactory(stage=special.stage, type="neutralisation", name="N")
    SegmentFactory(stage=special.stage, type="liaison", name="L", target_duration_seconds=600)
    PenaltyFormulaFactory(event=event, type="missed_waypoint", target="WPM")
    assert [one.sentence for one in open_settings(event)] == [
        "On the course are WPS, and no rule prices missing them.",
        "There are speed zones on the course, and no rule prices speeding.",
        "Day 1, L has a target time, and no rule prices it.",
        "Day 1, SS1 has no maximum time.",
        "No rule says what a stage not finished costs.",
        "No rule says what a stage not started costs.",
        "Day 1, N has no time allotted.",
        "No rule prices leaving Day 1, N early.",
    ]


@pytest.fixture
def office(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin@example.org", "x"))
    return client


def test_the_events_form_shows_the_panel_and_every_link_opens(office: Client, event: Event) -> None:
    apply_rules(event, load_shipped("rally-albania"), Wish())
    SegmentFactory(stage=StageFactory(event=event))
    page = office.get(reverse("admin:events_event_change", args=[event.pk])).content.decode()
    assert "Rules: still open" in page and "It forbids publishing." in page
    assert office.get(reverse("admin:events_event_add")).status_code == 200
    for link in {one.link for one in open_settings(event)}:
        assert office.get(link).status_code == 200, link


def test_an_edited_value_loses_the_evidence_of_the_profile(office: Client, event: Event) -> None:
    """Nobody reads "grade A" beside a number that an organiser typed."""
    apply_rules(event, load_shipped("serres"), Wish())
    row = PenaltyFormula.objects.get(event=event, type="dns_lump")
    _edit(office, row, article="SR 12")
    assert (row.article, row.grade, row.source) == ("SR 12", "A", "SERRES")
    _edit(office, row, penalty="3600")
    assert (row.penalty, row.grade, row.source) == (3600, "", "")


def _edit(office: Client, row: PenaltyFormula, **changes: str) -> None:
    """Open the form anew, as an official does, and save it with these changes."""
    page = reverse("admin:penalties_penaltyformula_change", args=[row.pk])
    form = office.get(page).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    assert office.post(page, {name: "" if v is None else v for name, v in data.items()} | changes).status_code == 302
    row.refresh_from_db()


def test_what_is_neutralised_and_not_taken_off_is_said(event: Event) -> None:
    """8.1: the allotment stands in two places, of which one could be forgotten."""
    stage = StageFactory(event=event, name="Night")
    special = SegmentFactory(stage=stage, neutralised_seconds=0)
    SegmentFactory(stage=stage, type="neutralisation", neutralised_seconds=900)
    told = "Night: neutralisations of 900 s, and 0 s are taken off its special stages."
    assert told in sentences(event, "neutralisation")
    special.neutralised_seconds = 900
    special.save()
    assert not any("taken off" in sentence for sentence in sentences(event, "neutralisation"))


def test_who_answers_is_kept(office: Client, event: Event) -> None:
    data = {"event": str(event.pk), "key": "protest_time", "answer": "30 min", "still_open": ""}
    office.post(reverse("admin:penalties_ruleanswer_add"), data)
    row = RuleAnswer.objects.get(event=event)
    assert row.answered_by is not None and row.answered_at is not None
