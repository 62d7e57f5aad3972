"""Race control in Debian's Chromium: worked by keyboard, looked at on a laptop and on a tablet, light and dark."""

import tempfile
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from apps.accounts.models import User
from apps.desk.tests.office import Office, official
from apps.desk.tests.test_browser import desk as desk
from apps.desk.tests.test_browser import office as office
from apps.desk.tests.test_browser import opened
from apps.live.tests.server import WebServer
from apps.racelog import services
from apps.racelog.domain.log import Kind
from apps.racelog.models import LogLine
from apps.racelog.services import Draft, Spot
from apps.scoring.models import StageResult

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def a_busy_morning(office: Office, user: User) -> None:
    """Lines of every kind, one of them taken back."""
    event, stage, (first, second, third, *_) = office.event, office.stage, office.entries
    begin = timezone.now() - timedelta(minutes=40)

    def say(kind: Kind, minutes: int, text: str = "", **more: object) -> LogLine:
        at = begin + timedelta(minutes=minutes)
        return services.write(user, Draft(event, kind, stage, text=text, at=at, **more))  # type: ignore[arg-type]

    say(Kind.GO, 0, about="medical", data={"who": "medical"})
    say(Kind.GO, 1, about="timing", data={"who": "timing"})
    say(Kind.NO_GO, 2, "stuck at the ford, ten minutes", about="sweep", data={"who": "sweep"})
    say(Kind.NOTE, 4, "Helicopter on the pad, crew of two", spot=Spot(name="bivouac"))
    say(Kind.HOLD, 6, "goats on the track at km 3")
    what = Draft(event, Kind.FALSE_START, stage, entry=first, text="marshal at DSS", at=begin + timedelta(minutes=12))
    line = services.report_false_start(user, what, 1600)
    services.take_back(user, line, "it was 302")
    say(Kind.INCIDENT, 15, "rolled, crew out and well", entry=second, spot=Spot(None, "km 12", 41.3275, 19.8189))
    say(Kind.PROTEST, 20, "waypoint 4 was not where the road book says", entry=third)


def shot(page: Page, name: str) -> None:
    for size, width, height in (("laptop", 1280, 800), ("tablet", 820, 1180)):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.reload()
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(400)  # colours change slowly
            page.screenshot(path=f"{tempfile.gettempdir()}/{name}-{size}-{scheme}.png", full_page=size == "tablet")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name}: wider than a {size}"
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")


def test_race_control_is_worked_by_keyboard(desk: BrowserContext, web: WebServer, office: Office) -> None:
    page = opened(desk, web.url + office.page("control"))
    page.keyboard.press("n")
    page.keyboard.type("Radio check, all posts answer")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("[data-line]").first).to_contain_text("Radio check")
    page.keyboard.press("g")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".control-post.is-go")).to_have_count(1)
    page.keyboard.press("h")
    page.keyboard.type("wind")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".control-word strong")).to_have_text("Starts held")
    expect(page.locator(".desk-frozen")).to_contain_text("STARTS HELD")
    with page.expect_navigation():
        page.keyboard.press("h")
    page.keyboard.type("wind is over")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".control-word strong")).to_have_text("Starts free")
    page.keyboard.press("j")
    with page.expect_navigation():
        page.keyboard.press("u")
    page.keyboard.type("not yet")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".control-word strong")).to_have_text("Starts held")
    assert [line.kind for line in LogLine.objects.all()] == ["note", "go", "hold", "release", "taken-back"]


def test_what_is_typed_survives_the_page_keeping_itself_fresh(
    desk: BrowserContext, web: WebServer, office: Office
) -> None:
    page = opened(desk, web.url + office.page("control"))
    page.locator("#hold-text").fill("rock fall")
    page.locator("h1").click()
    page.wait_for_timeout(4000)
    expect(page.locator("#hold-text")).to_have_value("rock fall")


def test_the_pages_fit_and_are_looked_at(desk: BrowserContext, web: WebServer, office: Office) -> None:
    page = opened(desk, web.url + office.page("control"))
    shot(page, "control-empty")
    a_busy_morning(office, official(office, "race-director"))
    page.reload()
    shot(page, "control-busy")
    page.goto(web.url + office.page("control", ask="release"))
    shot(page, "control-release")
    StageResult.objects.filter(entry__in=office.entries[5:]).update(status="running")
    user = official(office, "race-director")
    at = office.stage.starts_at + timedelta(seconds=1_200, milliseconds=3_500)
    red = services.write(user, Draft(office.event, Kind.RED, office.stage, text="car across the track", at=at))
    page.goto(web.url + office.page("control"))
    shot(page, "control-red")
    page.goto(web.url + office.page("stopped", red.pk))
    shot(page, "control-stopped")
    page.goto(web.url + office.page("results", publish="provisional"))
    shot(page, "control-publish")
    page.goto(web.url + office.page("starts", publish="1"))
    shot(page, "control-starts")
    page.goto(web.url + office.page("review"))
    shot(page, "control-review")
