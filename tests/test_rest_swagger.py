"""Swagger's page in a browser: drawn from this server alone, and good for a call with a token."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from apps.accounts.factories import OrganizationFactory
from apps.rest import tokens
from apps.rest.tests.client import official

PICTURES = Path(os.environ.get("TRM_TEST_PICTURES", "/tmp/trm-pictures"))
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_url")]


def test_the_page_signs_in_and_makes_a_call(browser: Browser, live_server: Any) -> None:
    user = official(OrganizationFactory()).user
    assert user is not None
    _row, token = tokens.make(user)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto(f"{live_server.url}/api/v1/docs")
    page.get_by_role("button", name="Authorize").click()
    bearer = page.locator(".modal-ux .auth-container").filter(has_text="Bearer")
    bearer.locator("input").fill(token)
    bearer.get_by_role("button", name="Apply credentials").click()
    page.locator(".modal-ux").get_by_role("button", name="Close").first.click()
    page.locator("#operations-tag-me").click()
    page.locator("#operations-me-me").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
    expect(page.locator(".live-responses-table")).to_contain_text(user.email)
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / "swagger.png")
    assert not faults, faults
    assert all(url.startswith((live_server.url, "data:", "blob:")) for url in asked), asked
    page.close()
