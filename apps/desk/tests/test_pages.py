"""The desk's pages: who may open them, and what they show."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.policy_rules import RULES
from apps.desk.tests import office as offices
from apps.desk.tests.office import Office, signed_in
from apps.events.factories import EventFactory
from apps.penalties.models import EntryPenalty
from apps.timing.models import EntryCrossing

pytestmark = pytest.mark.django_db

PAGES = (
    "stage",
    "trackers",
    "review",
    "results",
    "starts",
    "positions",
    "course",
    "decisions",
    "timing",
    "safety",
    "commands",
    "control",
)


@pytest.fixture
def office() -> Office:
    return offices.build()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", ["org-admin", "race-director"])
def test_a_race_director_opens_every_page(office: Office, page: str, role: str) -> None:
    assert signed_in(office, role).get(office.page(page)).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_an_official_of_another_organization_sees_nothing(office: Office, page: str) -> None:
    stranger = OrganizationUserFactory(role="org-admin").user
    stranger.is_staff = True
    stranger.save()
    client = Client()
    client.force_login(stranger)
    assert client.get(office.page(page)).status_code == 404


def test_a_spectator_of_a_public_event_has_no_desk(office: Office) -> None:
    office.event.is_public = True
    office.event.save()
    client = Client()
    client.force_login(UserFactory(is_staff=True))
    assert client.get(office.page("stage")).status_code == 403


def test_a_visitor_is_sent_to_sign_in(office: Office, client: Client) -> None:
    assert client.get(office.page("stage")).status_code == 302


def test_a_marshal_takes_times_and_decides_nothing(office: Office) -> None:
    client = signed_in(office, "marshal")
    assert client.get(office.page("timing")).status_code == 200
    assert client.post(office.page("review"), {"act": "waive", "reason": "x"}).status_code == 403
    assert client.post(office.page("results"), {"state": "provisional"}).status_code == 403
    assert client.post(office.page("starts"), {"act": "publish"}).status_code == 403
    assert client.post(office.page("decisions"), {"kind": "set_status"}).status_code == 403


def test_the_admin_opens_at_the_running_event(office: Office) -> None:
    client = signed_in(office, "race-director")
    assert client.get(reverse("admin:index")).headers["Location"] == office.page("stage")
    assert client.get(reverse("admin:tables")).status_code == 200


def test_an_event_without_a_stage_says_what_to_do_next(office: Office) -> None:
    empty = EventFactory(organization=office.event.organization)
    page = signed_in(office, "org-admin").get(reverse("admin:desk_stage", args=[empty.pk]))
    assert reverse("admin:course_stage_add") in page.content.decode()


def test_the_dashboard_counts_the_field(office: Office) -> None:
    page = signed_in(office, "race-director").get(office.page("stage"))
    assert {card.name: len(card.lines) for card in page.context["cards"]} == {
        "expected": 0, "started": 3, "on-course": 0, "overdue": 0, "finished": 3, "retired": 0,
    }  # fmt: skip
    assert "3 cases to review" in page.content.decode()


def test_a_number_opens_to_its_evidence_down_to_the_fixes(office: Office) -> None:
    client = signed_in(office, "race-director")
    entry = client.get(office.page("entry", office.entries[0].pk))
    crossing = EntryCrossing.objects.filter(entry=office.entries[0]).latest("ts")
    link = office.page("crossing", crossing.pk)
    assert link in entry.content.decode()
    assert client.get(link).status_code == 200


def test_a_proposed_penalty_leads_to_the_page_that_explains_it(office: Office) -> None:
    """From the review queue and from the entry; the page opens."""
    client = signed_in(office, "race-director")
    penalty = EntryPenalty.objects.all()[0]
    entry = reverse("admin:desk_entry", args=[office.event.pk, penalty.entry_id])
    for page in (office.page("review"), f"{entry}?stage={penalty.stage.sort_order}"):
        assert f'href="{penalty.get_absolute_url()}"' in client.get(page).content.decode()
    assert client.get(penalty.get_absolute_url()).status_code == 200


def test_the_screen_of_who_may_do_what_says_what_the_policy_says(office: Office) -> None:
    """Every act and every kind of rows is there, in words."""
    page = signed_in(office, "marshal").get(reverse("admin:who"))
    assert len(page.context["acts"]) == len(RULES.acts)
    assert not [row.name for row in page.context["acts"] if "_" in str(row.name)]
    decide = next(row for row in page.context["acts"] if row.name == "Decide")
    told = dict(zip(page.context["roles"], decide.cells, strict=True))
    assert told["race director"] == ["yes"]
    assert told["marshal"] == []
    assert "In " in page.content.decode()
