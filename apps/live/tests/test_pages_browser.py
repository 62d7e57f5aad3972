"""The leaderboard in Debian's Chromium: live, after a fall of the server, and without JavaScript."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from redis import Redis

from apps.live.tests import boards
from apps.live.tests.server import WebServer

PICTURES = Path(os.environ.get("TRM_TEST_PICTURES", "/tmp/trm-pictures"))
RECOVERY_MS = 40_000

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    yield context
    context.close()


def opened(context: BrowserContext, address: str, state: str = "live") -> Page:
    """The page, once it is live; whatever the console complains of fails the test."""
    page = context.new_page()
    page.on("console", lambda message: pytest.fail(message.text) if _is_policy(message.text) else None)
    page.goto(address)
    expect(page.locator("#connection")).to_have_attribute("data-state", state)
    return page


def _is_policy(text: str) -> bool:
    return "Content Security Policy" in text or "Uncaught" in text


def rows(page: Page) -> list[list[str]]:
    """The texts of the table as written, hidden cells included."""
    table: list[list[str]] = page.locator("#lines tr").evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('td, th')].map(cell => cell.textContent))"
    )
    return table


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"{name}.png"))


def board_address(web: WebServer, board: boards.Board, query: str = "") -> str:
    return f"{web.url}/live/{board.event.slug}/{query}"


def test_a_change_appears_without_reload(web: WebServer, phone: BrowserContext, redis: Redis) -> None:
    board = boards.build(12)
    page = opened(phone, board_address(web, board))
    expect(page.locator("#lines tr .number").first).to_have_text("301")
    picture(page, "phone-before")
    page.evaluate("window.sameDocument = true")
    boards.overtake(board, redis)
    expect(page.locator("#lines tr .number").first).to_have_text("312")
    expect(page.locator("#lines tr").first).to_have_attribute("data-news", "same")
    expect(page.locator("#lines tr").nth(1)).to_have_attribute("data-news", "down")
    expect(page.locator("#announcement")).to_have_text("New leader: 312 Arta Hoxha 11")
    assert page.evaluate("window.sameDocument")
    page.wait_for_timeout(600)
    picture(page, "phone-after")


def test_browser_and_server_write_the_same_table(web: WebServer, phone: BrowserContext) -> None:
    """Protects the two implementations of standings from drifting apart."""
    board = boards.build(9)
    for query in ("", "?class=C-2", f"?stage={board.stages[0].sort_order}", f"?stage={board.stages[1].sort_order}"):
        live = opened(phone, board_address(web, board, query))
        live.evaluate("document.getElementById('lines').replaceChildren()")  # the server's rows
        live.locator("#class").dispatch_event("change")
        written = rows(live)
        assert written and any(any(cells) for cells in written)
        assert written == static_rows(phone, board_address(web, board, query))


def static_rows(context: BrowserContext, address: str) -> list[list[str]]:
    assert context.browser
    bare = context.browser.new_context(java_script_enabled=False)
    try:
        page = bare.new_page()
        page.goto(address)
        # Playwright's own script runs in its isolated world also where the page's may not.
        return rows(page)
    finally:
        bare.close()


def test_without_javascript_it_is_a_table(web: WebServer, browser: Browser) -> None:
    board = boards.build(6)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(board_address(web, board))
    expect(page.locator("#lines tr")).to_have_count(6)
    expect(page.locator("#connection")).to_be_hidden()
    page.locator("#class").select_option("C-2")
    page.locator("#show").click()
    expect(page.locator("#lines tr")).to_have_count(3)
    page.get_by_role("link", name="Stage 1").click()
    expect(page.locator("#lines tr")).to_have_count(3)
    picture(page, "phone-without-javascript")
    context.close()


def test_a_class_is_chosen_without_reload(web: WebServer, phone: BrowserContext) -> None:
    board = boards.build(8)
    page = opened(phone, board_address(web, board))
    page.locator("#class").select_option("C-2")
    expect(page.locator("#lines tr")).to_have_count(4)
    expect(page.locator("#lines tr .rank").first).to_have_text("1")
    assert page.url.endswith("?class=C-2")
    assert "class=C-2" in str(page.get_by_role("link", name="Prologue").get_attribute("href"))


def test_the_page_recovers_from_a_fall_of_the_server(web: WebServer, phone: BrowserContext, redis: Redis) -> None:
    board = boards.build(4)
    page = opened(phone, board_address(web, board))
    web.kill()
    expect(page.locator("#connection")).to_have_attribute("data-state", "lost")
    picture(page, "phone-lost")
    boards.overtake(board, redis)  # while nobody listens
    web.start()
    expect(page.locator("#lines tr .number").first).to_have_text("304", timeout=RECOVERY_MS)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    boards.tell(board, redis)
    expect(page.locator("#connection")).to_have_text("Live")


def test_on_a_desk_all_columns_are_seen(web: WebServer, browser: Browser) -> None:
    board = boards.build(14)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = opened(context, board_address(web, board, f"?stage={board.stages[0].sort_order}"))
    for column in ("rank", "number", "who", "class", "state", "time", "penalty", "total", "gap"):
        expect(page.locator(f"thead .{column}")).to_be_visible()
    picture(page, "desk")
    page.emulate_media(color_scheme="dark")
    picture(page, "desk-dark")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_small_phone(web: WebServer, browser: Browser, scheme: str) -> None:
    board = boards.build(5)
    context = browser.new_context(viewport={"width": 360, "height": 740}, device_scale_factor=2)
    page = opened(context, board_address(web, board, f"?stage={board.stages[0].sort_order}"))
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    picture(page, f"small-{scheme}")
    context.close()
