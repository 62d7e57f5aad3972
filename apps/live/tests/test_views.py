"""The pages as HTTP answers: who sees what, which address, which policy."""

import pytest
from django.test import Client

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.common.csp import ADMIN, STRICT
from apps.events.factories import EventFactory
from apps.live.tests import boards

pytestmark = pytest.mark.django_db


def test_the_page_is_whole_before_any_script(client: Client) -> None:
    board = boards.build()
    page = client.get("/live/rally-albania-2026/").content.decode()
    assert page.count('<tr role="row" data-entry') == 3 + 1  # and the template for new lines
    for text in ("Rally Albania 2026", "Arta Hoxha 1", "0:12:00.3", "+2:00.0", "Prologue", "running"):
        assert text in page, text
    assert f'data-topic="{board.topic}"' in page


def test_a_stage_and_a_class(client: Client) -> None:
    board = boards.build()
    stage = board.stages[0]
    page = client.get(f"/live/rally-albania-2026/?stage={stage.sort_order}&class=C-1").content.decode()
    assert f'data-topic="{board.stage_topic}"' in page
    assert "Arta Hoxha 0" in page and "Arta Hoxha 1" not in page
    assert "WP 4" in page
    by_id = client.get(f"/live/rally-albania-2026/?stage={stage.id}").content.decode()
    assert f'data-topic="{board.stage_topic}"' in by_id


@pytest.mark.parametrize("query", ["?stage=999999", "?stage=x", "?class=none", "?class=%00"])
def test_what_there_is_not(client: Client, query: str) -> None:
    boards.build()
    assert client.get(f"/live/rally-albania-2026/{query}").status_code == 404
    assert client.get("/live/elsewhere/").status_code == 404


def test_a_private_event_is_for_its_members(client: Client) -> None:
    board = boards.build(public=False)
    address = "/live/rally-albania-2026/"
    assert client.get(address).status_code == 404  # as if there were none
    assert "Rally Albania" not in client.get("/live/").content.decode()
    member = UserFactory.create()
    OrganizationUserFactory.create(organization=board.event.organization, user=member)
    client.force_login(member)
    assert client.get(address).status_code == 200
    assert address in client.get("/live/").content.decode()


def test_two_organizations_may_use_one_slug(client: Client) -> None:
    one, other = EventFactory.create(slug="autumn"), EventFactory.create(slug="autumn")
    page = client.get("/live/autumn/").content.decode()
    for event in (one, other):
        address = f"/live/{event.organization.slug}/autumn/"
        assert address in page
        assert event.name in client.get(address).content.decode()


def test_text_of_people_is_escaped(client: Client) -> None:
    EventFactory.create(slug="x", name="<script>alert(1)</script>")
    for address in ("/live/", "/live/x/"):
        assert "<script>alert" not in client.get(address).content.decode()


def test_pages_run_no_script_but_their_own(client: Client) -> None:
    assert client.get("/live/").headers["Content-Security-Policy"] == STRICT
    assert client.get("/admin/login/").headers["Content-Security-Policy"] == ADMIN
    assert "unsafe" not in STRICT
