"""The audit of pages finds what is wrong with one, and nothing where nothing is."""

import pytest
from playwright.sync_api import Browser

from tests.axe import violations

pytestmark = pytest.mark.browser

PAGE = "<html lang=en><title>A page</title><main><h1>A page</h1>{}</main>"


def test_a_grave_fault_is_told_with_its_element_and_a_good_page_has_none(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(PAGE.format("<p>Good.</p>"))
    assert violations(page) == []
    page.set_content(PAGE.format("<button id=mute></button>"))
    (fault,) = violations(page)
    assert fault.startswith("button-name at #mute: ")
    assert violations(page, without=("#mute",)) == []
    page.close()
