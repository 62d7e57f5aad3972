"""The race office for who sees little, or uses no mouse: axe finds nothing grave on it, and a finger meets its aims."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page

from apps.desk.pages import PAGES
from apps.desk.tests import office as offices
from apps.desk.tests.office import Office, official
from apps.live.tests.server import WebServer
from apps.timing.models import EntryCrossing
from tests.axe import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Buttons, fields and tabs that a finger has to meet on a tablet; links within a sentence are no aims.
SMALL = """() => [...document.querySelectorAll(
    "button, select, textarea, summary, .desk-tabs a, .desk-button, .button, .desk-filter a, .object-tools a,"
    + "input:not([type=hidden], [type=checkbox], [type=radio], .unseen)"
)].filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 43.5)
    .map(one => one.outerHTML.slice(0, 90))"""

# Django's own script dresses some fields after the page is there; ours gives those their names.
NAMED = "!document.querySelector('.select2-selection[role=combobox]:not([aria-label])')"


@pytest.fixture
def office(redis_url: str) -> Office:
    return offices.build(3)


@pytest.fixture
def tablet(browser: Browser, web: WebServer, office: Office) -> Iterator[Page]:
    """A tablet with a race director signed in."""
    client = Client()
    client.force_login(official(office, "race-director"))
    context = browser.new_context(
        viewport={"width": 820, "height": 1180}, has_touch=True, reduced_motion="reduce", base_url=web.url
    )
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": web.url}])
    yield context.new_page()
    context.close()


def addresses(office: Office) -> list[str]:
    """Every page of the desk that is looked at, and of the tables the start page, lists, forms and a history."""
    entry = office.entries[1]
    crossing = EntryCrossing.objects.filter(entry=entry).first()
    of_a_row = {"entry": (entry.pk,), "crossing": (crossing and crossing.pk,)}
    desk = [
        office.page(name, *of_a_row.get(name, ()))
        for route, _view, name in PAGES
        if name in of_a_row or "<" not in route and route.count("/") <= 1
    ]
    more = [office.page("timing", control=str(office.controls[2].pk)), office.page("decisions", make="set_status")]
    tables = [
        reverse("admin:tables"),
        reverse("admin:who"),
        reverse("admin:events_entry_changelist"),
        reverse("admin:timing_timingrecord_changelist"),
        reverse("admin:events_entry_change", args=[entry.pk]),
        reverse("admin:course_stage_change", args=[office.stage.pk]),
        reverse("admin:events_entry_history", args=[entry.pk]),
        reverse("admin:events_entry_import"),
        reverse("documents:event", args=[office.event.pk]),
    ]
    return [*desk, *more, *tables]


def test_nothing_grave_is_wrong_with_a_page_and_a_finger_meets_its_aims(tablet: Page, office: Office) -> None:
    found: list[str] = []
    for address in addresses(office):
        answer = tablet.goto(address)
        assert answer is not None and answer.status == 200, address
        tablet.wait_for_function(NAMED)
        found += [f"{address}: {fault}" for fault in violations(tablet)]
        found += [f"{address}: lower than 44 px: {one}" for one in tablet.evaluate(SMALL)]
        tablet.emulate_media(color_scheme="dark")
        found += [f"{address}, dark: {fault}" for fault in violations(tablet, only=("color-contrast",))]
        tablet.emulate_media(color_scheme="light")
    assert not found, "\n".join(found)


def test_a_choice_in_a_filter_of_a_list_opens_it(tablet: Page) -> None:
    tablet.goto(reverse("admin:events_entry_changelist"))
    with tablet.expect_navigation():
        tablet.locator("select[data-go]", has_text="withdrawn").select_option(label="withdrawn")
    assert "status__exact=withdrawn" in tablet.url
    assert tablet.get_by_text("Nothing matches what you look for.").is_visible()
