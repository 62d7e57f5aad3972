"""Issue 6: every number shown opens to its evidence, and no link of the desk leads nowhere.

The director's pages are crawled from the desk's first one. What is a result, a time, a penalty or a rank stands
inside a link; the pages on which the evidence itself stands are named below.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from apps.desk.tests.ways_back_world import Step, World, scored, started
from apps.desk.tests.ways_back_world import built as built
from apps.desk.tests.ways_back_world import world as world
from apps.scoring.factories import ResultRevisionFactory

MOST = 220  # pages opened
OF_A_KIND = 6  # pages of one kind whose links are followed: the entries are alike
# Where a number is the evidence, or is being typed: fixes and crossings, what was recorded, the log with its times.
EVIDENCE = frozenset(
    {"crossing", "record", "positions", "penalty", "timing", "control", "trackers", "safety", "course"}
)
NUMBER = re.compile(r"\b\d{1,2}:\d\d(:\d\d)?\b|^\s*\d+\s*$")
VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
OPENS = frozenset({"a", "button", "label", "option", "time", "summary", "svg"})  # a label's time has its link beside it


class Page(HTMLParser):
    """The links of a page, and its numbers in tables and cards that are inside none."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._open: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.bare: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag not in VOID:
            self._open.append((tag, given.get("class", "")))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        shown = any(tag == "td" or "desk-card" in names or "cost" in names for tag, names in self._open)
        opens = any(tag in OPENS or "desk-quiet" in names for tag, names in self._open)
        if shown and not opens and NUMBER.search(data):
            self.bare.append(data.strip())


def kind(address: str) -> str:
    """The page of the desk an address is of, `penalty` for the evidence of one; empty elsewhere."""
    path = urlsplit(address).path
    if path.startswith("/evidence/penalty/"):
        return "penalty"
    found = re.match(r"/admin/desk/[^/]+/(\w*)", path)
    return (found[1] or "stage") if found else ""


def crawled(world: World) -> Iterator[tuple[str, str, Page | None]]:
    """(address, where it was found, the page): with its links followed where it is of the desk."""
    waiting, seen, opened = [(Step("stage").address(world), "")], set[str](), dict[str, int]()
    while waiting and len(seen) < MOST:
        address, source = waiting.pop(0)
        page_kind = kind(address)
        if address in seen or opened.get(page_kind or urlsplit(address).path, 0) >= OF_A_KIND:
            continue
        seen.add(address)
        opened[page_kind or urlsplit(address).path] = opened.get(page_kind or urlsplit(address).path, 0) + 1
        answer = world.client.get(address, follow=True)
        assert answer.status_code == 200, f"{answer.status_code}: {address}, a link of {source}"
        html = "text/html" in answer.headers["Content-Type"]
        page = Page(answer.content.decode()) if html and page_kind else None
        yield address, page_kind, page
        found = page.links if page else []
        waiting += [(urljoin(address, one).partition("#")[0], address) for one in found if followed(one)]


def followed(link: str) -> bool:
    return not link.startswith(("tel:", "geo:", "mailto:", "#")) and "logout" not in link


@pytest.fixture
def office(world: World) -> World:
    """With something of everything that is shown: a record, decisions, a list of starts, a revision, cases."""
    ahead = {"stage": str(world.following.sort_order)}
    record = {"number": "301", "time": world.clock(started(world) + 5000), "control": str(world.control("DSS").pk)}
    steps = (
        Step("decisions", {"kind": "impose_penalty", "number": "303", "ms": "1:00", "reason": "x", "confirmed": "1"}),
        Step("decisions", {"kind": "set_status", "number": "304", "status": "dnf", "reason": "x", "confirmed": "1"}),
        Step("starts", {"act": "publish"}, ahead),
        Step("control", {"act": "protest", "number": "304", "text": "the time of 301"}),
        Step("control", {"act": "red", "text": "blocked"}),
    )
    for step in steps:
        assert step.sent(world, world.client).status_code == 302, step
    typed = {"id": "6a1f0d52-9a43-4a0e-8f6f-5d5e7a0b1c11", "source": "card", "at": started(world), "accepted": ACCEPTED}
    assert Step("timing_write", record | typed, as_json=True).sent(world, world.client).status_code == 200
    ResultRevisionFactory.create(event=world.event, stage=world.stage, number=1, state="unofficial")
    scored(world)
    return world


ACCEPTED = ["again", "far-from-gps", "before-start", "outside", "after-later", "before-earlier"]


@pytest.mark.django_db  # it also makes the test database, which the other has with a module's fixture
def test_a_number_outside_of_a_link_is_found() -> None:
    page = Page('<table><tr><td>0:10:00</td><td><a href="x">0:11:00</a></td><td>Arta</td></tr></table>')
    assert (page.bare, page.links) == (["0:10:00"], ["x"])


def test_every_number_opens_and_no_link_is_dead(office: World) -> None:
    bare: dict[str, list[str]] = {}
    kinds: set[str] = set()
    for address, page_kind, page in crawled(office):
        kinds.add(page_kind)
        if page and page_kind not in EVIDENCE and page.bare:
            bare[address] = page.bare[:8]
    assert not bare
    assert kinds >= {"stage", "results", "entry", "crossing", "record", "penalty", "starts", "review", "decisions"}
