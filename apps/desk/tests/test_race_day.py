"""A whole race day in one browser, from the file of entries to the printed official classification.

Each step begins at the desk and goes where the list of tasks leads. Pictures of every page at the size of a laptop
and of a tablet are left in `TRM_TEST_PICTURES` (/tmp/trm-pictures) under race-day/.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from playwright.sync_api import Browser, FilePayload, Page, expect
from pypdf import PdfReader
from redis import Redis

from apps.common import stream
from apps.common.position import Position, instant
from apps.course.models import SpeedLimitZone
from apps.desk.tests import race_day_world as worlds
from apps.desk.tests.race_day_world import HALF, NUMBERS, World
from apps.events.models import Entry, EntryDevice
from apps.live.tests.server import WebServer
from apps.penalties.models import EntryPenalty
from apps.scoring.models import ResultRevision, StageResult
from apps.scoring.tests.pipes import processor, scorer
from apps.timing.models import EntrySegmentStart

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PICTURES = Path(os.environ.get("TRM_TEST_PICTURES", "/tmp/trm-pictures")) / "race-day"
SIZES = {"laptop": (1366, 768), "tablet": (820, 1180)}


@dataclass(slots=True)
class RaceDay:
    """An official at the browser, and the processes behind the trackers."""

    page: Page
    world: World
    redis: Redis
    start: str
    pictures: int = 0

    def to(self, duty: str) -> None:
        """From the desk to a task of the race day: one click."""
        self.page.goto(self.start)
        with self.page.expect_navigation():
            self.page.locator(f'[data-duty="{duty}"]').click()

    def picture(self, name: str) -> None:
        """The page at both sizes; nothing on it may be wider than the screen."""
        self.pictures += 1
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.screenshot(path=PICTURES / f"{self.pictures:02}-{name}-{size}.png")
            wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name} is {wide} px too wide on a {size}"
        self.page.set_viewport_size({"width": 1366, "height": 768})

    def sent(self, fixes: list[Position]) -> None:
        stream.send(self.redis, "telemetry:t", fixes)
        self.worked()

    def worked(self) -> None:
        """The processor and the scorer have done what there is to do."""
        processor(self.redis).run_until_idle()
        scorer(self.redis, batch=20).run_until_idle()

    def status(self, number: int) -> str:
        return str(StageResult.objects.get(entry__race_number=number).status)


@pytest.fixture
def day(browser: Browser, web: WebServer, redis: Redis) -> Iterator[RaceDay]:
    world = worlds.build()
    client = Client()
    client.force_login(world.director)
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": web.url}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("console", lambda message: pytest.fail(message.text) if "Content Security" in message.text else None)
    PICTURES.mkdir(parents=True, exist_ok=True)
    yield RaceDay(page, world, redis, f"{web.url}/admin/")
    context.close()


def test_a_race_day(day: RaceDay) -> None:
    """Rulebook 9.3 from the evening before to the official result, in the order it is done."""
    the_entries_come_in_a_file(day)
    a_zone_is_drawn(day)
    the_course_is_proved(day)
    the_stage_is_opened(day)
    the_field_is_watched(day)
    times_are_typed(day)
    faulty_fixes_are_flagged(day)
    the_queue_is_settled(day)
    provisional_results_are_published(day)
    they_are_amended(day)
    official_results_are_published(day)
    the_classification_is_printed(day)


def the_entries_come_in_a_file(day: RaceDay) -> None:
    page = day.page
    page.goto(day.start)
    page.get_by_role("link", name="Entries: add or import them").click()
    page.get_by_role("link", name="Import / export").click()
    file = FilePayload(name="entries.csv", mimeType="text/csv", buffer=day.world.entries_csv.encode())
    page.locator("[name=file]").set_input_files(file)
    page.get_by_role("button", name="Show what it would change").click()
    expect(page.locator("p.counts")).to_contain_text("5 new")
    day.picture("import")
    assert not Entry.objects.exists(), "a preview writes nothing"
    page.get_by_role("button", name="Import").click()
    expect(page.locator(".messagelist")).to_contain_text("5 new")
    day.picture("entries")
    assert EntryDevice.objects.count() == len(NUMBERS)


def a_zone_is_drawn(day: RaceDay) -> None:
    """Clicked roughly on the map, its corners then typed from the road book."""
    page = day.page
    day.to("course")
    page.wait_for_selector("#map[data-ready]")
    page.locator('[data-draw="zone"]').click()
    for x, y in ((300, 200), (420, 200), (420, 300), (302, 202)):
        page.locator("#map canvas").click(position={"x": x, "y": y})
        page.wait_for_timeout(400)
    page.locator("[name=name]").fill("Burrel")
    page.locator("[name=limit]").fill("50")
    page.locator("[name=coordinates]").fill(day.world.zone_corners)
    page.locator("[name=reason]").fill("road book, page 3")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-hint]")).to_have_text("Saved.")
    day.picture("zone")
    assert SpeedLimitZone.objects.get().speed_limit_kmh == 50


def the_course_is_proved(day: RaceDay) -> None:
    file = FilePayload(name="recce.gpx", mimeType="application/gpx+xml", buffer=day.world.track_gpx.encode())
    day.page.locator("#track").set_input_files(file)
    proof = day.page.locator("[data-proof]")
    expect(proof).to_contain_text("No waypoint was missed.")
    expect(proof).to_contain_text("Burrel")
    day.picture("proof")


def the_stage_is_opened(day: RaceDay) -> None:
    page = day.page
    day.to("start-list")
    page.get_by_role("link", name="Publish the list").click()
    day.picture("start-list")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".messagelist")).to_be_visible()
    assert EntrySegmentStart.objects.count() == len(NUMBERS)


def the_field_is_watched(day: RaceDay) -> None:
    """Positions come in at the stream; the page shows them without being asked."""
    page = day.page
    day.sent(day.world.fixes(-200, HALF))
    page.goto(day.start)
    expect(page.locator(".is-on-course strong")).to_have_text("5")
    day.picture("on-course")
    day.sent(day.world.fixes(HALF, 5000))
    expect(page.locator(".is-finished strong")).to_have_text("4", timeout=20_000)
    day.picture("finished")


def times_are_typed(day: RaceDay) -> None:
    """305 has no fix at the finish; the beam saw 301 four seconds after its tracker did."""
    page = day.page
    day.to("times")
    page.locator(".desk-spots a", has_text="ASS").click()
    expect(page.locator("#number")).to_be_focused()
    seen = StageResult.objects.get(entry__race_number=301).outcome["segments"][0]["finish_ts"]
    for number, ts in ((305, day.world.start_ms + 500_000), (301, seen + 4000)):
        page.keyboard.type(str(number))
        page.keyboard.press("Enter")
        page.keyboard.type(typed(day.world, ts))
        page.keyboard.press("Enter")
    expect(page.locator("tr.is-written")).to_have_count(2)
    day.picture("times")
    day.worked()
    assert day.status(305) == "finished"


def typed(world: World, ts: int) -> str:
    return f"{instant(ts).astimezone(ZoneInfo(world.event.time_zone)):%H%M%S}"


def faulty_fixes_are_flagged(day: RaceDay) -> None:
    """304 is proposed for speeding by fixes that tell 144 km/h where the vehicle moved at 47."""
    page = day.page
    day.to("faulty")
    page.locator("#number").fill("304")
    page.keyboard.press("Enter")
    bad = page.locator("[data-fixes] tr", has=page.get_by_role("cell", name="144", exact=True))
    expect(bad).to_have_count(4)
    bad.first.click()
    bad.last.click()
    page.locator("[data-flag] [name=reason]").fill("speeds that cannot be")
    day.picture("faulty")
    assert EntryPenalty.objects.filter(entry__race_number=304, type="speed_zone").exists()
    page.get_by_role("button", name="Flag as faulty").click()
    expect(page.locator(".messagelist")).to_contain_text("count no more")
    day.worked()
    assert not EntryPenalty.objects.filter(entry__race_number=304, type="speed_zone").exists()


def the_queue_is_settled(day: RaceDay) -> None:
    """The missed waypoint stands, the speeding is waived, and of two times the tracker's counts."""
    page = day.page
    day.to("queue")
    expect(page.locator("article.desk-case")).to_have_count(3)
    day.picture("queue")
    for number, act in ((302, "Confirm"), (303, "Waive"), (301, "")):
        case = page.locator("article.desk-case", has=page.locator("a.who", has_text=str(number)))
        case.locator("[name=reason]").fill("seen on the map")
        if not act:
            case.locator("[type=radio]").first.check()
        case.get_by_role("button", name=act or "Confirm the time", exact=True).click()
        expect(page.locator(".messagelist")).to_contain_text("Decision")
        day.worked()
    day.to("queue")
    expect(page.locator(".desk-empty")).to_contain_text("Nothing is open")


def published(day: RaceDay, state: str, minutes: str = "", reason: str = "") -> None:
    page = day.page
    page.get_by_role("link", name=f"Publish {state}", exact=True).click()
    if minutes:
        page.locator("[name=minutes]").fill(minutes)
    page.locator("[name=reason]").fill(reason)
    day.picture(f"publish-{state}")
    page.get_by_role("button", name=f"Publish {state}", exact=True).click()


def provisional_results_are_published(day: RaceDay) -> None:
    day.to("provisional")
    published(day, "provisional", "30")
    expect(day.page.locator(".messagelist")).to_contain_text("revision 1")
    published(day, "official")
    expect(day.page.locator("[role=alert]")).to_contain_text("Protests are heard until")


def they_are_amended(day: RaceDay) -> None:
    """The stewards hear the protest of 302 and give half a minute back; there is no more time for protests."""
    page = day.page
    day.to("stewards")
    page.get_by_role("link", name="time given back").click()
    page.locator("[name=number]").fill("302")
    page.locator("[name=ms]").fill("0:30")
    page.locator("[name=reason]").fill("stopped to help 305")
    page.get_by_role("button", name="Go on").click()
    day.picture("decision")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator(".messagelist")).to_contain_text("Decision")
    day.worked()
    day.to("official")
    published(day, "amended", "0", "the protest of 302 is heard")
    expect(page.locator(".messagelist")).to_contain_text("revision 2")


def official_results_are_published(day: RaceDay) -> None:
    day.to("official")
    published(day, "official")
    expect(day.page.locator(".messagelist")).to_contain_text("revision 3")
    day.picture("results")
    states = ResultRevision.objects.order_by("number").values_list("state", flat=True)
    assert list(states) == ["provisional", "amended", "official"]


def the_classification_is_printed(day: RaceDay) -> None:
    """The paper has every crew and the hash of the revision it is of."""
    day.to("papers")
    address = day.page.get_by_role("link", name="classification", exact=True).first.get_attribute("href")
    paper = day.page.request.get(f"{day.start.removesuffix('/admin/')}{address}")
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(paper.body())).pages)
    assert ResultRevision.objects.get(number=3).hash in text
    assert all(str(number) in text for number in NUMBERS)
