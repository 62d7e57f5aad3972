"""Every penalty can be explained on one page: article, words, inputs, decisions, and the fixes on a map."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from redis import Redis

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import User
from apps.common.csp import STRICT
from apps.course.factories import SegmentFactory
from apps.course.models import Segment, Stage, Waypoint
from apps.events.factories import EntryCrewFactory
from apps.events.models import Event
from apps.penalties.factories import DecisionFactory, EntryPenaltyFactory, PenaltyFormulaFactory
from apps.penalties.models import EntryPenalty, PenaltyFormula
from apps.scoring.decisions import Draft, decide, revoke
from apps.scoring.services import Again, score_again
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import race
from apps.telemetry.faulty import flag

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def driven(redis: Redis) -> rally.Rally:
    """A rally with a rule of most kinds: over speed, missed, too slow, late at the start, too few waypoints."""
    built = rally.build()
    PenaltyFormula.objects.update(article="FIM 80.1")
    Segment.objects.update(maximum_duration_seconds=200)
    for type_ in ("maximum_time", "waypoint_ratio", "dnf_lump", "late_start"):
        ending = 70 if type_ == "waypoint_ratio" else None
        PenaltyFormulaFactory(event=built.event, type=type_, penalty=60, article="FIM 80.2", offence_max=ending)
    return race(redis, built)


def director(built: rally.Rally) -> User:
    user: User = OrganizationUserFactory(organization=built.event.organization, role="race-director").user
    return user


def page(client: Client, penalty: EntryPenalty) -> str:
    answer = client.get(penalty.get_absolute_url())
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == STRICT
    return unescape(answer.content.decode())


def dots(text: str, kind: str) -> list[int]:
    """The instants of the fixes of a kind on the map."""
    return [int(ts) for ts in re.findall(rf'class="dot {kind}" data-ts="(\d+)"', text)]


def test_every_penalty_of_a_rally_has_its_page(driven: rally.Rally, client: Client) -> None:
    client.force_login(director(driven))
    penalties = list(EntryPenalty.objects.all())
    assert {"missed_waypoint", "speed_zone", "maximum_time"} <= {penalty.type for penalty in penalties}
    for penalty in penalties:
        text = page(client, penalty)
        assert penalty.article in text and "style=" not in text and "<script" not in text
        assert str(penalty.inputs.get("arithmetic", "")) in text
        assert f'<dd class="number">{penalty.entry.race_number}</dd>' in text
        rows = re.search(r'<section class="inputs".*?</section>', text, re.DOTALL)
        assert rows is not None and rows[0].count("<tr>") >= 2
        assert sorted(dots(text, "over")) == sorted(penalty.inputs["fixes"])
        if penalty.type in ("missed_waypoint", "speed_zone"):
            assert "<svg" in text and dots(text, "(?:fix|over)")


def test_the_map_of_a_missed_waypoint_shows_how_close_the_crew_came(driven: rally.Rally, client: Client) -> None:
    client.force_login(director(driven))
    text = page(client, EntryPenalty.objects.get(type="missed_waypoint"))
    assert re.search(r"closest approach</th><td>1[67]\d m at", text), text  # 0.0015° of latitude
    assert 'class="area"' in text and 'class="reach"' in text and "within 90 m of the waypoint" in text


def test_a_faulty_fix_is_shown_struck_out(driven: rally.Rally, client: Client) -> None:
    """It does not count, and nobody can say it was hidden."""
    client.force_login(director(driven))
    penalty = EntryPenalty.objects.get(type="speed_zone")
    struck = penalty.inputs["fixes"][3]
    flag(driven.imeis[2], struck, struck)
    list(score_again(Again(str(driven.event.id))))
    text = page(client, penalty)  # the same address after the recompute
    assert dots(text, "void") == [struck] and struck not in dots(text, "over")
    assert "1 fix that does not count" in text


def test_decisions_are_told_with_author_reason_and_document(driven: rally.Rally, client: Client) -> None:
    penalty = EntryPenalty.objects.get(type="missed_waypoint")
    official = director(driven)
    draft = Draft(
        driven.event, "waive_penalty", {"key": penalty.key}, "The board had fallen", entry=penalty.entry,
        stage=penalty.stage, document="Bulletin 7",
    )  # fmt: skip
    revoke(decide(draft, official), official, "It stood")
    decide(draft, official)
    DecisionFactory(stage=penalty.stage, entry=penalty.entry, params={"key": "other:1"}, number=9, reason="Another one")
    list(score_again(Again(str(driven.event.id))))
    client.force_login(official)
    text = page(client, penalty)
    for words in ("No. 1: penalty waived", "The board had fallen", "Bulletin 7", "It stood", str(official), "waived"):
        assert words in text, words
    assert "Another one" not in text


def test_a_penalty_imposed_by_hand_has_a_page_without_a_map(client: Client) -> None:
    SegmentFactory(stage=(penalty := EntryPenaltyFactory(type="imposed", key="imposed:1")).stage)
    penalty.stage.event.organization_id = penalty.entry.event.organization_id
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    text = page(client, penalty)
    assert "Penalty imposed by the officials" in text and "<svg" not in text


def test_who_may_read_the_evidence(driven: rally.Rally, client: Client) -> None:
    """The public sees the penalty of a public event, the crew its own evidence, a stranger nothing."""
    penalty = EntryPenalty.objects.get(type="speed_zone")
    address = penalty.get_absolute_url()
    Event.objects.update(is_public=False)
    asked = client.get(address)
    assert asked.status_code == 302 and asked.headers["Location"].startswith(reverse("admin:login"))
    client.force_login(OrganizationUserFactory(role="org-admin").user)
    assert client.get(address).status_code == 404
    crew = OrganizationUserFactory(organization=driven.event.organization, role="participant").user
    client.force_login(crew)
    assert "<svg" not in page(client, penalty)
    EntryCrewFactory(entry=penalty.entry, user=crew)
    assert "<svg" in page(client, penalty)
    Event.objects.update(is_public=True)
    client.logout()
    public = page(client, penalty)
    assert penalty.article in public and "<svg" not in public and "km/h" not in public


def test_no_page_tells_the_number_of_a_tracker(driven: rally.Rally, client: Client) -> None:
    client.force_login(director(driven))
    for penalty in EntryPenalty.objects.all():
        assert not any(imei in page(client, penalty) for imei in driven.imeis)


def test_the_number_of_queries_does_not_grow(driven: rally.Rally, client: Client) -> None:
    """Neither with decisions, nor with controls, nor with crew."""
    client.force_login(director(driven))
    penalty = EntryPenalty.objects.get(type="speed_zone")

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            page(client, penalty)
        return len(asked)

    count()
    before = count()
    EntryCrewFactory.create_batch(3, entry=penalty.entry)
    DecisionFactory.create_batch(4, stage=penalty.stage, entry=penalty.entry, params={"key": penalty.key})
    segment = SegmentFactory(stage=Stage.objects.get(id=driven.stage_id), sort_order=90)
    Waypoint.objects.update(segment=segment)
    assert count() == before and before <= 20


def test_the_admin_leads_to_the_page(driven: rally.Rally, client: Client) -> None:
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    penalty = EntryPenalty.objects.get(type="speed_zone")
    form = client.get(reverse("admin:penalties_entrypenalty_change", args=[penalty.pk])).content.decode()
    there = re.search(r'href="(/admin/r/[^"]+)"', form)
    assert there is not None
    assert client.get(there[1]).headers["Location"].endswith(penalty.get_absolute_url())
