"""The desk in Debian's Chromium: every task of the race day in three clicks, and times that survive a dead line."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.course.models import SpeedLimitZone
from apps.desk.race_day import duties
from apps.desk.tests import office as offices
from apps.desk.tests.office import Office, official
from apps.live.tests.server import WebServer
from apps.timing.models import TimingRecord

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "officials.md"


@pytest.fixture
def office(redis_url: str) -> Office:
    return offices.build(8)


@pytest.fixture
def desk(browser: Browser, web: WebServer, office: Office) -> Iterator[BrowserContext]:
    """A browser in which a race director is signed in; whatever the console complains of fails the test."""
    client = Client()
    client.force_login(official(office, "race-director"))
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": web.url}])
    yield context
    context.close()


def opened(desk: BrowserContext, address: str) -> Page:
    page = desk.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("console", lambda message: pytest.fail(message.text) if "Content Security" in message.text else None)
    page.goto(address)
    return page


def test_every_task_of_the_race_day_is_at_most_three_clicks_from_the_start_page(
    desk: BrowserContext, web: WebServer
) -> None:
    """Signing in leads to the running event's desk; each task of rulebook 9.3 is one click from there."""
    page = opened(desk, f"{web.url}/admin/")
    start = page.url
    assert "/desk/" in start
    for duty in duties():
        page.goto(start)
        with page.expect_navigation() as went:
            page.locator(f'[data-duty="{duty.name}"]').click()
        assert went.value.status == 200, duty.name


def test_the_tasks_and_their_paths_are_in_the_document() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \|", DOCUMENT.read_text(), re.MULTILINE)
    assert told == [duty.name for duty in duties()]


def at_the_finish(desk: BrowserContext, web: WebServer, office: Office) -> Page:
    page = opened(desk, web.url + office.page("timing", control=str(office.controls[1].pk)))
    expect(page.locator("#number")).to_be_focused()
    return page


def typed(page: Page, number: str, time: str) -> None:
    """As a timekeeper does: number, Enter, time, Enter; no mouse."""
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.keyboard.type(time)
    page.keyboard.press("Enter")


def clock(office: Office, minutes: int) -> str:
    at = office.stage.starts_at + timedelta(minutes=minutes)
    return f"{at.astimezone(ZoneInfo(office.event.time_zone)):%H%M%S}"


def test_times_are_entered_by_keyboard_alone(desk: BrowserContext, web: WebServer, office: Office) -> None:
    page = at_the_finish(desk, web, office)
    for n in range(3):
        typed(page, str(301 + n), clock(office, 5))
    expect(page.locator("tr.is-written")).to_have_count(3)
    page.keyboard.type("999")
    page.keyboard.press("Enter")
    expect(page.locator("#entry-said")).to_contain_text("no entry 999")
    page.keyboard.press("Escape")
    typed(page, "301", clock(office, 6))
    expect(page.locator("#entry-said")).to_contain_text("301 has a time here already")
    page.keyboard.press("Enter")
    expect(page.locator("tr.is-written")).to_have_count(4)
    typed(page, "304", "0000")  # long before the stage
    expect(page.locator("tr.is-doubt")).to_have_count(1)
    assert TimingRecord.objects.count() == 4, "nothing in doubt is written"
    page.keyboard.press("Escape")
    expect(page.locator("tr.is-doubt")).to_have_count(0)
    page.keyboard.type("305n")
    page.keyboard.press("Enter")
    expect(page.locator("tr.is-doubt, tr.is-written")).to_have_count(5)


def test_what_is_typed_without_a_line_is_kept_and_sent_once(
    desk: BrowserContext, web: WebServer, office: Office
) -> None:
    page = at_the_finish(desk, web, office)
    desk.set_offline(True)
    for n in range(3):
        typed(page, str(301 + n), clock(office, 5))
    expect(page.locator("tr.is-waiting")).to_have_count(3)
    expect(page.locator("[data-offline]")).to_be_visible()
    assert not TimingRecord.objects.exists()
    desk.set_offline(False)
    expect(page.locator("tr.is-written")).to_have_count(3, timeout=10_000)
    assert sorted(TimingRecord.objects.values_list("entry__race_number", flat=True)) == [301, 302, 303]


def test_what_was_not_sent_outlives_the_page_and_an_answer_that_got_lost(
    desk: BrowserContext, web: WebServer, office: Office
) -> None:
    """The server wrote it, its answer was lost, the lid was closed: after that it is there once."""
    page = at_the_finish(desk, web, office)

    def lose_the_answer(route: object) -> None:
        route.fetch()  # type: ignore[attr-defined]
        route.abort()  # type: ignore[attr-defined]

    page.route("**/timing/write/*", lose_the_answer)
    typed(page, "301", clock(office, 5))
    expect(page.locator("tr.is-waiting")).to_have_count(1)
    page.close()
    again = at_the_finish(desk, web, office)
    expect(again.locator("tr.is-written")).to_have_count(1)
    expect(again.locator("tr.is-waiting")).to_have_count(0)
    assert TimingRecord.objects.count() == 1


def test_a_time_is_taken_back_with_a_reason(desk: BrowserContext, web: WebServer, office: Office) -> None:
    page = at_the_finish(desk, web, office)
    typed(page, "301", clock(office, 5))
    page.on("dialog", lambda dialog: dialog.accept("wrong crew"))
    page.locator("tr.is-written button").click()
    expect(page.locator("tr.is-withdrawn")).to_contain_text("wrong crew")
    assert TimingRecord.objects.get().withdrawn_reason == "wrong crew"


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1024, 768), (820, 1180)])
def test_no_page_is_wider_than_a_laptop_or_a_tablet(
    desk: BrowserContext, web: WebServer, office: Office, width: int, height: int
) -> None:
    page = opened(desk, web.url + office.page("stage"))
    page.set_viewport_size({"width": width, "height": height})
    for name in ("stage", "timing", "review", "results", "starts", "positions", "course", "decisions", "trackers"):
        page.goto(web.url + office.page(name))
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is {wide} px too wide at {width} px"


def test_a_zone_is_drawn_on_a_map_without_internet(desk: BrowserContext, web: WebServer, office: Office) -> None:
    """Three clicks and a click on the first corner; what is drawn is what is saved."""
    asked: list[str] = []
    desk.on("request", lambda request: asked.append(request.url))
    page = opened(desk, web.url + office.page("course"))
    page.wait_for_selector("#map[data-ready]")
    page.locator('[data-draw="zone"]').click()
    canvas = page.locator("#map canvas")
    for x, y in ((300, 200), (420, 200), (420, 300), (302, 202)):
        canvas.click(position={"x": x, "y": y})
        page.wait_for_timeout(400)
    page.locator("[name=name]").fill("Burrel")
    page.locator("[name=limit]").fill("40")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-hint]")).to_have_text("Saved.")
    zone = SpeedLimitZone.objects.get()
    assert (zone.name, zone.speed_limit_kmh) == ("Burrel", 40)
    assert zone.geometry is not None
    assert len(zone.geometry["coordinates"][0]) == 4
    assert all(address.startswith((web.url, "data:", "blob:")) for address in asked)
