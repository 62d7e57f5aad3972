"""The safety desk: alerts worst first, acts by button and by key, phones for those who may call, stages closed."""

import re
import tempfile

import pytest
from playwright.sync_api import BrowserContext, expect

from apps.desk.tests import office as offices
from apps.desk.tests.office import Office, signed_in
from apps.desk.tests.test_browser import desk as desk
from apps.desk.tests.test_browser import office as office
from apps.desk.tests.test_browser import opened
from apps.events.factories import EntryCrewFactory
from apps.live.tests.server import WebServer
from apps.safety.factories import AlertFactory
from apps.safety.models import Alert, StageClosing
from apps.scoring.models import StageResult


def alerts(office: Office) -> list[Alert]:
    """A stop of 301, older, and an SOS of 302, whose pilot has a phone."""
    EntryCrewFactory(entry=office.entries[1], user__phone="+355 69 1234567", user__first_name="Arta")
    stop = AlertFactory(entry=office.entries[0], kind="stopped", severity=2)
    return [stop, AlertFactory(entry=office.entries[1], latitude=41.3, longitude=19.8, stage=office.stage)]


@pytest.mark.django_db
def test_the_worst_is_first_and_a_marshal_reads_the_phone() -> None:
    office = offices.build()
    stop, sos = alerts(office)
    page = signed_in(office, "marshal").get(office.page("safety"))
    assert [one.alert for one in page.context["shown"]] == [sos, stop]
    assert "+355 69 1234567" in page.content.decode()
    assert signed_in(office, "viewer").get(office.page("safety")).status_code in (302, 403)


@pytest.mark.django_db
def test_acts_go_through_the_policy_and_say_what_is_wrong() -> None:
    office = offices.build()
    _stop, sos = alerts(office)
    client = signed_in(office, "race-director")
    address = office.page("safety")
    client.post(address, {"act": "acknowledge", "alert": str(sos.pk)})
    refused = client.post(address, {"act": "close", "alert": str(sos.pk), "text": ""}, follow=True)
    assert "Say how it ended" in refused.content.decode()
    client.post(address, {"act": "close", "alert": str(sos.pk), "text": "crew well"})
    sos.refresh_from_db()
    assert (sos.state, sos.reason) == ("closed", "crew well")
    for wrong in ({"act": "close", "alert": "x", "text": "y"}, {"act": "dance"}):
        assert client.post(address, wrong).status_code == 302
    assert signed_in(office, "timekeeper").post(address, {"act": "close_stage"}).status_code == 403


@pytest.mark.django_db
def test_a_stage_is_closed_once_everybody_is_accounted_for() -> None:
    office = offices.build()
    StageResult.objects.filter(entry=office.entries[0]).update(status="running")
    client = signed_in(office, "race-director")
    address = office.page("safety", stage=str(office.stage.sort_order))
    refused = client.post(address, {"act": "close_stage"}, follow=True).content.decode()
    assert "Still on course: 301" in refused and not StageClosing.objects.exists()
    client.post(address, {"act": "account_for", "number": "301", "text": "towed to the bivouac"})
    client.post(address, {"act": "close_stage"})
    assert StageClosing.objects.get().stage == office.stage
    client.post(address, {"act": "reopen_stage", "text": "seen at CP 2"})
    assert not StageClosing.objects.filter(reopened_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_an_alert_is_worked_off_by_keyboard(desk: BrowserContext, web: WebServer, office: Office) -> None:
    _stop, sos = alerts(office)
    page = opened(desk, web.url + office.page("safety"))
    expect(page.locator(".safety-alert")).to_have_count(2)
    expect(page).to_have_title(re.compile(r"^[⚠▲] 2"))
    page.screenshot(path=f"{tempfile.gettempdir()}/safety-laptop.png")
    page.set_viewport_size({"width": 820, "height": 1180})
    page.screenshot(path=f"{tempfile.gettempdir()}/safety-tablet.png")
    with page.expect_navigation():
        page.keyboard.press("a")
    expect(page.locator(".safety-alert").first).to_contain_text("looked after by")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.type("false alarm")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    sos.refresh_from_db()
    assert (sos.state, sos.reason) == ("closed", "false alarm")
