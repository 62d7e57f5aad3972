"""Officials read the desk and the tables in their language, with times in the event's zone in each."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext

from apps.desk.tests import office as offices
from apps.desk.tests.office import Office, official
from apps.live.tests.server import WebServer

TABS = ("stage", "timing", "review", "results", "decisions", "starts", "course", "positions", "trackers")
# Elements whose words do not fit: they are clipped, or wider than the window.
CUT_OFF = """() => {
  const shown = e => e.offsetParent && !e.closest(".unseen, svg, canvas") && getComputedStyle(e).overflow !== "auto";
  const cut = [...document.querySelectorAll("a, button, th, h1, h2, strong, span, label, p")]
    .filter(e => shown(e) && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1
      && getComputedStyle(e).overflowX === "hidden");
  const wide = document.documentElement.scrollWidth > innerWidth + 1 ? [document.body] : [];
  return [...cut, ...wide].map(e => e.tagName + ": " + e.textContent.trim().slice(0, 60));
}"""


@pytest.fixture
def office(redis_url: str) -> Office:
    return offices.build(8)


def signed_in(office: Office) -> Client:
    client = Client()
    client.force_login(official(office, "race-director"))
    return client


@pytest.mark.django_db
def test_an_official_chooses_the_language_of_desk_and_tables(office: Office) -> None:
    client, address = signed_in(office), office.page("stage")
    english = client.get(address).content.decode()
    assert '<html lang="en' in english and "All tables" in english
    answer = client.post("/live/language", {"language": "sq", "next": address})
    assert answer.headers["Location"] == address
    albanian = client.get(address).content.decode()
    assert '<html lang="sq' in albanian and "Të gjitha tabelat" in albanian and "All tables" not in albanian
    assert "<h1>Të regjistruar</h1>" in client.get("/admin/events/entry/").content.decode()


@pytest.mark.django_db
def test_the_choice_is_kept_with_the_account_and_holds_on_another_machine(office: Office) -> None:
    user = official(office, "timekeeper")
    first, second = Client(), Client()
    first.force_login(user)
    first.post("/live/language", {"language": "sq", "next": "/"})
    second.force_login(user)
    assert '<html lang="sq' in second.get(office.page("stage")).content.decode()
    second.cookies["django_language"] = "en"  # of who sat here before
    assert '<html lang="sq' in second.get(office.page("stage")).content.decode()
    second.post("/live/language", {"language": "xx", "next": "/"})
    user.refresh_from_db()
    assert user.language == "sq"


@pytest.mark.django_db
def test_a_visitor_has_the_language_of_the_cookie(office: Office, client: Client) -> None:
    client.post("/live/language", {"language": "sq", "next": "/"})
    assert '<html lang="sq' in client.get("/admin/login/").content.decode()


@pytest.mark.django_db
def test_times_are_the_same_in_every_language(office: Office) -> None:
    client = signed_in(office)
    pages = [
        client.get(office.page("entry", office.entries[0].pk), headers={"accept-language": language}).content.decode()
        for language in ("en", "sq")
    ]
    times = [re.findall(r">\s*(\d{2}:\d{2}:\d{2}(?:\.\d)?)\s*<", page) for page in pages]
    assert times[0] == times[1] and times[0]


@pytest.fixture
def desk(browser: Browser, web: WebServer, office: Office) -> Iterator[BrowserContext]:
    session = signed_in(office).cookies["sessionid"].value
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="sq")
    context.add_cookies([{"name": "sessionid", "value": session, "url": web.url}])
    yield context
    context.close()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_nothing_is_cut_off_in_albanian(desk: BrowserContext, web: WebServer, office: Office) -> None:
    page = desk.new_page()
    for tab in TABS:
        page.goto(web.url + office.page(tab))
        assert page.locator("html").get_attribute("lang") == "sq", tab
        assert page.evaluate(CUT_OFF) == [], tab
