"""Map, replay, big screen and widgets in Debian's Chromium."""

import os
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect
from redis import Redis

from apps.common import stream
from apps.events.models import Event
from apps.live.tests import pmtiles, scenes, server
from apps.live.tests.server import WebServer

PICTURES = Path(os.environ.get("TRM_TEST_PICTURES", "/tmp/trm-pictures"))
SIZES = {"phone": (390, 844), "desk": (1440, 900)}
MAP_MS = 30_000  # drawn in software on a busy machine

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=SIZES)
def context(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    width, height = SIZES[request.param]
    opened = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    opened.set_default_timeout(MAP_MS)
    opened.trm_name = request.param  # type: ignore[attr-defined]
    yield opened
    opened.close()


def opened(context: BrowserContext, address: str) -> Page:
    """The page; whatever the console complains of is kept in `page.complaints`."""
    page = context.new_page()
    complaints: list[str] = []
    page.complaints = complaints  # type: ignore[attr-defined]
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    return page


def complaints(page: Page) -> list[str]:
    """But for what Chromium says of drawing in software."""
    return [text for text in page.complaints if "GPU stall" not in text and "WebGL" not in text]  # type: ignore[attr-defined]


def picture(page: Page, context: BrowserContext, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(500)  # what was asked for last is drawn a moment later
    if page.locator("#map").count():
        expect(page.locator("#map")).to_have_attribute("aria-busy", "false")
    page.screenshot(path=str(PICTURES / f"{context.trm_name}-{name}.png"))  # type: ignore[attr-defined]


def listening(page: Page, redis: Redis) -> None:
    """Wait until the web process reads the stream, which it does from its end on: a busy machine lets it wait."""
    name = settings.REDIS_TELEMETRY_STREAM
    end = time.monotonic() + MAP_MS / 1000
    while not (redis.exists(name) and redis.xinfo_groups(name)):
        assert time.monotonic() < end, "the web process does not read positions"
        page.wait_for_timeout(50)


def test_the_map_shows_crews_moving(web: WebServer, context: BrowserContext, redis: Redis) -> None:
    scene = scenes.stage()
    page = opened(context, web.url + scene.address("map/"))
    expect(page.locator("#map")).to_have_attribute("data-ready", "true")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    crew = page.locator(f'#crews [data-entry="{scene.board.entries[-1].id}"]')
    expect(crew).to_have_attribute("data-lat", f"{scenes.point(0.6, 5 * 0.0006)[0]:.5f}")
    listening(page, redis)
    stream.send(redis, settings.REDIS_TELEMETRY_STREAM, [scenes.later_fix(scene, 5, 0.7, int(time.time() * 1000))])
    expect(crew).to_have_attribute("data-lat", f"{scenes.point(0.7, 5 * 0.0006)[0]:.5f}")
    picture(page, context, "map")
    assert complaints(page) == []


@pytest.mark.parametrize("context", ["phone"], indirect=True)
def test_a_crew_is_followed_by_keyboard(web: WebServer, context: BrowserContext) -> None:
    scene = scenes.stage()
    page = opened(context, web.url + scene.address("map/"))
    expect(page.locator("#map")).to_have_attribute("data-ready", "true")
    button = page.locator("#crews li button").nth(5)
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#announcement")).to_contain_text("306")
    assert "follow=306" in page.url
    picture(page, context, "map-followed")
    assert complaints(page) == []


def test_the_map_is_dark_where_the_visitor_is(web: WebServer, browser: Browser) -> None:
    scene = scenes.stage()
    context = browser.new_context(color_scheme="dark", reduced_motion="reduce", viewport={"width": 1440, "height": 900})
    context.trm_name = "desk"  # type: ignore[attr-defined]
    page = opened(context, f"{web.url}{scene.address('map/')}?class=C-2")
    expect(page.locator("#crews li")).to_have_count(3)
    picture(page, context, "map-dark")
    assert complaints(page) == []
    context.close()


@pytest.mark.parametrize("context", ["phone"], indirect=True)
def test_a_stage_is_replayed(web: WebServer, context: BrowserContext) -> None:
    scene = scenes.stage(days_ago=1.5)
    page = opened(context, web.url + scene.address("replay/"))
    expect(page.locator("#map")).to_have_attribute("data-ready", "true")
    expect(page.locator("#play")).to_be_enabled()
    page.locator("#aligned").check()
    expect(page.locator("#instant")).to_have_text("0:00:00")
    page.locator("#play").click()
    expect(page.locator("#instant")).not_to_have_text("0:00:00")
    page.locator("#play").click()
    page.locator("#seek").evaluate("seek => { seek.value = 450; seek.dispatchEvent(new Event('input')); }")
    positions = page.locator("#crews li").evaluate_all("all => all.map(item => Number(item.dataset.lat))")
    assert positions[0] > positions[4]  # who is faster is further, all started together
    picture(page, context, "replay")
    assert complaints(page) == []


def test_stages_are_replayed_one_after_the_other(web: WebServer, context: BrowserContext) -> None:
    """Seeking into the second stage puts it on the map, with its course and its clock."""
    scene = scenes.stage(days_ago=1.5)
    second = scenes.second_stage(scene)
    Event.objects.filter(id=scene.board.event.id).update(ends_at=second.stage.starts_at + timedelta(hours=3))
    page = opened(context, web.url + scene.address("replay/?stage=all"))
    expect(page.locator("#map")).to_have_attribute("data-ready", "true")
    expect(page.locator("#part")).to_have_text("Prologue")
    page.locator("#aligned").check()
    expect(page.locator("#begins option")).to_have_count(1)
    page.locator("#seek").evaluate("seek => { seek.value = 1990; seek.dispatchEvent(new Event('input')); }")
    expect(page.locator("#part")).to_have_text("Stage 1")
    expect(page.locator("#instant")).to_have_text("0:13:51")
    expect(page.locator("#crews li").first.locator(".seen")).to_have_text("finished")
    picture(page, context, "replay-all")
    page.locator("#play").click()
    expect(page.locator("#instant")).to_have_text("0:14:00")
    expect(page.locator("#play")).to_have_text("Play")  # at the end of the last stage it stands
    assert complaints(page) == []


def test_a_line_opens(web: WebServer, context: BrowserContext) -> None:
    scene = scenes.stage()
    page = opened(context, f"{web.url}{scene.address()}?stage={scene.stage.sort_order}")
    row = page.locator(f'tr[data-entry="{scene.board.entries[5].id}"]')
    expect(row.locator(".virtual")).to_have_text(re.compile(r"≈6\. at WP 2 · \d+ (s|min)"))
    page.locator("#lines tr .more").nth(1).click()
    opened_row = page.locator("tr.details")
    expect(opened_row.locator(".splits tbody tr")).to_have_count(4)
    expect(opened_row.locator(".splits tbody tr").first).to_contain_text("+0:15")
    expect(opened_row.locator(".penalties li")).to_contain_text("pending")
    picture(page, context, "board")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert complaints(page) == []


@pytest.mark.parametrize("context", ["desk"], indirect=True)
def test_a_big_screen_turns_its_pages(web: WebServer, context: BrowserContext) -> None:
    scene = scenes.stage(24)
    page = opened(context, f"{web.url}{scene.address('screen/')}?stage={scene.stage.sort_order}&seconds=4")
    expect(page.locator("#lines tr:visible").first).to_contain_text("301")
    picture(page, context, "screen")
    expect(page.locator("#page")).to_contain_text("Page 2 of")
    expect(page.locator("#lines tr:visible").first).not_to_contain_text("301")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert complaints(page) == []


@pytest.mark.parametrize("context", ["phone"], indirect=True)
def test_widgets_stand_alone(web: WebServer, context: BrowserContext) -> None:
    scene = scenes.stage()
    board = opened(context, f"{web.url}{scene.address('embed/board/')}?stage={scene.stage.sort_order}")
    expect(board.locator("#lines tr").first).to_contain_text("301")
    picture(board, context, "widget-board")
    widget = opened(context, web.url + scene.address("embed/map/"))
    expect(widget.locator("#map")).to_have_attribute("data-ready", "true")
    picture(widget, context, "widget-map")
    assert complaints(board) == [] and complaints(widget) == []


def test_the_organisers_basemap_is_under_it(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in ranges from the one archive in the organiser's directory, and credited."""
    pmtiles.write_raster(tmp_path / "albania.pmtiles", (90, 160, 90))
    monkeypatch.setenv("LIVE_BASEMAP_DIR", str(tmp_path))
    scene = scenes.stage()
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 900, "height": 700})
    context.trm_name = "basemap"  # type: ignore[attr-defined]
    with server.running() as web:
        page = opened(context, web.url + scene.address("map/"))
        expect(page.locator(".maplibregl-ctrl-attrib")).to_contain_text("Survey of the club")
        picture(page, context, "map")
        assert complaints(page) == []
    context.close()


def test_a_vector_basemap_names_places_with_the_visitors_own_fonts(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pmtiles.write_vector(tmp_path / "albania.pmtiles")
    monkeypatch.setenv("LIVE_BASEMAP_DIR", str(tmp_path))
    scene = scenes.stage()
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 900, "height": 700})
    context.trm_name = "vector"  # type: ignore[attr-defined]
    with server.running() as web:
        page = opened(context, web.url + scene.address("map/"))
        expect(page.locator("#map")).to_have_attribute("data-ready", "true")
        for _ in range(5):  # out to where the town is in view
            page.get_by_role("button", name="Zoom out").click()
        picture(page, context, "map")
        assert complaints(page) == []
        name, nothing = (page.screenshot(clip={"x": 705, "y": y, "width": 60, "height": 20}) for y in (370, 340))
        assert len(name) > 1.5 * len(nothing)  # as PNG: there is something to be seen
    context.close()
