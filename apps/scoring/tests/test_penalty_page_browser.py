"""The page of a penalty in Debian's Chromium: on a phone, on a desk, on paper, within the policy of the pages."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.common import stream
from apps.penalties.models import EntryPenalty
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor, scorer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = [(390, 844), (1280, 900)]

# Labels of the map, their boxes in pixels of the screen.
BOXES = """
    texts => texts.map(text => {
        const box = text.getBoundingClientRect();
        return [box.left, box.top, box.right, box.bottom];
    })
"""


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, redis: Redis) -> Iterator[Page]:
    """A tab of an official; whatever breaks the policy fails the test."""
    stream.send(redis, "telemetry:t", rally.drive(rally.build(), random.Random(7)))
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()
    client = Client()
    client.force_login(UserFactory(is_superuser=True))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(base_url=live_server.url)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    tab = context.new_page()
    tab.on("console", lambda message: pytest.fail(message.text) if "Policy" in message.text else None)
    yield tab
    context.close()


@pytest.mark.parametrize("type_", ["speed_zone", "missed_waypoint"])
def test_the_map_can_be_read_at_every_size(page: Page, type_: str) -> None:
    """Nothing is wider than the screen, and no words of the map lie outside of it or are too small to read."""
    penalty = EntryPenalty.objects.get(type=type_)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(penalty.get_absolute_url())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        frame = page.locator("svg").bounding_box()
        assert frame is not None and frame["width"] > 0.4 * width
        boxes: list[list[Any]] = page.locator("svg .callout text").evaluate_all(BOXES)
        assert boxes
        for left, top, right, bottom in boxes:
            assert frame["x"] <= left and right <= frame["x"] + frame["width"]
            assert frame["y"] <= top and bottom <= frame["y"] + frame["height"]
            assert bottom - top >= 10


def test_it_prints_on_two_sheets_at_most(page: Page) -> None:
    page.goto(EntryPenalty.objects.get(type="speed_zone").get_absolute_url())
    printed = page.pdf(format="A4")
    assert 1 <= printed.count(b"/Type /Page\n") <= 2
