"""What a newcomer sees: `manage.py demo`, and a leaderboard that moves by itself."""

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from apps.demo.tests.test_demo import start, welcome

PICTURES = Path(os.environ.get("TRM_TEST_PICTURES", "/tmp/trm-pictures"))
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_demo_shows_a_moving_leaderboard(browser: Browser, place: Path) -> None:
    """From the first fix in the stream to a ranked crew on the page, which nobody reloads."""
    process = start(place, "--speed", "90")
    try:
        address = re.search(r"http://\S+/live/rally-albania-2026/", welcome(process))
        assert address is not None
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address[0])
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        loads = page.evaluate("performance.getEntriesByType('navigation').length")
        expect(page.locator("#lines tr[data-status=running]").first).to_be_visible(timeout=60_000)
        expect(page.locator("#lines tr[data-rank='1']")).to_be_visible(timeout=60_000)
        expect(page.locator("#lines tr[data-rank='3']")).to_be_visible(timeout=60_000)
        assert page.evaluate("performance.getEntriesByType('navigation').length") == loads
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / "demo.png")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
