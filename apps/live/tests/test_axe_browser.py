"""Every live page, audited for people who do not see it or use no mouse: both languages and schemes, small and wide."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.events.factories import EventFactory
from apps.live.tests import scenes
from apps.live.tests.scenes import Scene
from apps.live.tests.server import WebServer
from apps.live.tests.test_pages import an_official
from apps.live.tests.test_ws_live import session_of
from tests.axe import violations

SMALL, WIDE = (360, 740), (1280, 800)
# Each size, language and scheme once: what is wrong for some hangs on one of them.
WAYS = [(SMALL, "sq", "dark"), (WIDE, "en", "light")]
MAPS = ("map/", "embed/map/", "replay/", "replay/?stage=all")

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0][0]}-{way[1]}-{way[2]}")
def context(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    (width, height), language, scheme = request.param
    opened = browser.new_context(
        viewport={"width": width, "height": height}, locale=language, color_scheme=scheme, reduced_motion="reduce"
    )
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


def enter(context: BrowserContext, user: User, web: WebServer) -> None:
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": web.url}
    context.add_cookies([cookie])  # type: ignore[list-item]


def addresses(scene: Scene) -> list[str]:
    stage = f"?stage={scene.stage.sort_order}"
    pages = ("", stage, "screen/", "embed/board/", "control/", *MAPS)
    return ["/live/", "/live/nobody/nowhere/", *(scene.address(page) for page in pages)]


def ready(page: Page, address: str) -> None:
    """What scripts add is there: the map, or what opens under a line."""
    if address.endswith(MAPS):
        expect(page.locator("#map")).to_have_attribute("data-ready", "true")
    elif "?stage=" in address or address.endswith("embed/board/"):
        page.locator("#lines tr .more").nth(1).click()
        expect(page.locator("tr.details .penalties")).to_be_visible()
        expect(page.locator("tr[data-entry] .virtual").first).to_be_visible()


def test_no_page_shuts_anybody_out(web: WebServer, context: BrowserContext) -> None:
    scene = scenes.stage(days_ago=1.5)
    scenes.second_stage(scene)
    enter(context, an_official(scene), web)
    faults = []
    for address in addresses(scene):
        page = context.new_page()
        page.goto(web.url + address)
        ready(page, address)
        faults += [f"{address} {fault}" for fault in violations(page)]
        page.close()
    assert faults == []


@pytest.mark.parametrize("context", WAYS, indirect=True, ids=["narrow", "wide"])
def test_nor_does_one_with_nothing_to_show_or_without_a_connection(web: WebServer, context: BrowserContext) -> None:
    event = EventFactory.create(is_public=True)
    enter(context, UserFactory.create(is_superuser=True), web)
    faults = []
    for name in ("", "map/", "replay/", "screen/", "control/", "embed/board/", "embed/map/"):
        page = context.new_page()
        page.goto(f"{web.url}/live/{event.organization.slug}/{event.slug}/{name}")
        if name != "replay/":
            expect(page.locator("#connection")).to_have_attribute("data-state", "live")
            context.set_offline(True)
            expect(page.locator("#connection")).to_have_attribute("data-state", "lost")
            context.set_offline(False)
        faults += [f"{name} {fault}" for fault in violations(page)]
        page.close()
    assert faults == []
