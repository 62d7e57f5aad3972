"""Race control in Debian's Chromium, and viewers who lose their connection."""

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, expect
from redis import Redis

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.common.position import Position
from apps.events.models import Event
from apps.live.models import Acknowledgement
from apps.live.positions import now_ms
from apps.live.tests import boards, scenes
from apps.live.tests.server import WebServer
from apps.live.tests.test_map_browser import MAP_MS, SIZES, complaints, opened, picture
from apps.live.tests.test_pages_browser import rows
from apps.racelog.factories import LogLineFactory
from apps.scoring.models import StageResult
from apps.telemetry.queries import write_positions

OFFLINE_MS = 60_000  # by the page's clock, whose timers all run meanwhile
NEWS = 30
BACK_MS = 40_000  # the page waits up to 15 s between attempts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=SIZES)
def context(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    width, height = SIZES[request.param]
    made = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    made.set_default_timeout(MAP_MS)
    made.trm_name = request.param  # type: ignore[attr-defined]
    yield made
    made.close()


def log_in(context: BrowserContext, web: WebServer, event: Event) -> None:
    """As the race director of the event."""
    user = UserFactory.create(first_name="Ana", last_name="Prifti")
    OrganizationUserFactory.create(organization=event.organization, user=user, role="race-director")
    client = Client()
    client.force_login(user)
    cookies: SimpleCookie = client.cookies
    context.add_cookies([{"name": "sessionid", "value": cookies["sessionid"].value, "url": web.url}])


def a_day_that_goes_wrong() -> scenes.Scene:
    """Of six crews inside the stage 306 moves, 305 asked for help, 304 stands, 303 is silent, 302 lost the network."""
    scene = scenes.stage()
    StageResult.objects.filter(stage=scene.stage).exclude(entry=scene.board.entries[0]).update(status="running")
    now = now_ms()
    found = [
        *(_fix(scene, 5, now - ago * 1000, 60.0) for ago in (20, 10, 1)),
        *(_fix(scene, 4, now - ago * 1000, 0.0, priority=2 if ago == 90 else 0) for ago in (90, 30, 1)),
        _fix(scene, 3, now - 400_000, 50.0),
        *(_fix(scene, 3, now - ago * 1000, 0.0) for ago in (300, 100, 2)),
        _fix(scene, 2, now - 240_000, 55.0, attributes={"21": 4}),
        _fix(scene, 1, now - 240_000, 55.0, attributes={"21": 0}),
    ]
    write_positions(found)
    with connection.cursor() as cursor:  # as if they had come when they were measured
        cursor.execute("update positions set ingested_at = ts + interval '1 second'")
    return scene


def _fix(scene: scenes.Scene, n: int, ts: int, speed: float, **more: object) -> Position:
    latitude, longitude = scenes.point(0.3 + n / 20)
    values = {"speed": speed, "satellites": 11, **more}
    return Position(scene.imeis[n], ts, latitude, longitude, **values)  # type: ignore[arg-type]


def test_race_control_puts_alarms_first_and_tells_states_apart(web: WebServer, context: BrowserContext) -> None:
    scene = a_day_that_goes_wrong()
    log_in(context, web, scene.board.event)
    page = opened(context, web.url + scene.address("control/"))
    alarm = page.locator("#alarms .alarm")
    expect(alarm).to_contain_text("305")
    expect(page.locator("#shout")).to_have_text("SOS of 305 Arta Hoxha 4 / Besnik Leka!")
    states = {number: page.locator(f'#watch li:has(.number:has-text("{number}")) .state') for number in (302, 303, 304)}
    expect(states[304]).to_have_text("stopped")
    expect(states[303]).to_have_text("silent")
    expect(states[302]).to_have_text("no coverage")
    expect(page.locator("#sweep li")).to_have_count(5)
    picture(page, context, "control")
    alarm.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#alarms")).to_be_hidden()
    assert Acknowledgement.objects.get().author.first_name == "Ana"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints(page) == []


def test_a_stage_that_is_stopped_stands_above_all_until_it_goes_on(
    web: WebServer, browser: Browser, tmp_path: Path
) -> None:
    scene = scenes.stage()
    context = browser.new_context(viewport={"width": 390, "height": 844})
    log_in(context, web, scene.board.event)
    page = opened(context, web.url + scene.address("control/"))
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#frozen")).to_be_hidden()
    red = LogLineFactory(event=scene.board.event, stage=scene.stage, kind="red", text="car across the track")
    expect(page.locator("#frozen li")).to_have_text(re.compile("RED SIGNAL.*car across the track"))
    page.screenshot(path=tmp_path / "frozen.png")
    LogLineFactory(event=scene.board.event, stage=scene.stage, kind="taken-back", takes_back=red, text="no")
    expect(page.locator("#frozen")).to_be_hidden()
    context.close()


def test_two_viewers_end_with_the_same_board(web: WebServer, browser: Browser, redis: Redis) -> None:
    """One is offline for a minute, in which the lead changes and much else; it is told what it missed, and no more."""
    board = boards.build(8)
    contexts = [browser.new_context(viewport={"width": 390, "height": 844}) for _ in range(2)]
    contexts[1].clock.install()
    steady, roaming = (opened(one, f"{web.url}/live/{board.event.slug}/") for one in contexts)
    for page in (steady, roaming):
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    contexts[1].set_offline(True)
    expect(roaming.locator("#connection")).to_have_attribute("data-state", "lost")
    boards.overtake(board, redis)
    expect(steady.locator("#lines tr .number").first).to_have_text("308")
    expect(roaming.locator("#lines tr .number").first).to_have_text("301")
    for _ in range(NEWS):
        boards.tell(board, redis)
    contexts[1].clock.run_for(OFFLINE_MS)
    expect(roaming.locator("#connection")).to_have_attribute("data-state", "lost")
    heard: list[str] = []
    roaming.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(str(frame))))
    contexts[1].set_offline(False)
    expect(roaming.locator("#connection")).to_have_attribute("data-state", "live", timeout=BACK_MS)
    expect(roaming.locator("#lines tr .number").first).to_have_text("308")
    assert rows(roaming) == rows(steady)
    of_board = [frame for frame in heard if f'"leaderboard:{board.event.id}"' in frame]
    assert sum('"changes"' in frame for frame in of_board) == 1 + NEWS
    assert not any('"snapshot"' in frame for frame in of_board)
    for one in contexts:
        one.close()


def test_a_lost_right_ends_the_updates(web: WebServer, browser: Browser) -> None:
    board = boards.build(4)
    context = browser.new_context()
    page = opened(context, f"{web.url}/live/{board.event.slug}/")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    Event.objects.filter(id=board.event.id).update(is_public=False)
    expect(page.locator("#connection")).to_have_attribute("data-state", "refused", timeout=BACK_MS)
    context.close()
