"""No page of the office says in English, to an Albanian official, what TRM itself says."""

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.common.translations.catalogues import load
from tests.admin_world import World
from tests.test_query_counts import pages

ENGLISH = re.compile(r"\b(is|are|was|the|of|and|not|must|has|have|needs?|with|which|from|by|for|this|that)\b")
SPOKEN = frozenset({"title", "placeholder", "aria-label"})
# What people wrote, makers' names of values, and the rights of libraries that Django lists.
THEIRS = re.compile(
    r"The waypoint stood wrong|towed to|lost time on|Helicopter on|\w+ \| |Time (to|of) |Number of|Distance|with MIL"
    r"|^Speed$",
    re.IGNORECASE,
)
# The same letters in both languages, or a code.
ALIKE = frozenset({"class", "stage", "leg", "overall", "admin", "start", "text", "event", "status", "number", "page"})


class Texts(HTMLParser):
    """The texts of a page and of what its elements say by attribute; scripts and styles say nothing."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "textarea", "pre", "code")
        self.found |= {value for name, value in attrs if name in SPOKEN and value}

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "textarea", "pre", "code")

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.found.add(" ".join(data.split()))


@cache
def ours() -> frozenset[str]:
    """What TRM says in English and otherwise in Albanian, in small letters."""
    texts = [(text, said) for kept in load("sq") for text, said in kept.catalogue.texts.items()]
    albanian = {form.lower() for _text, said in texts for form in said}
    return frozenset(form.lower() for text, _said in texts for form in (text.id, text.plural)) - albanian - {""}


def left(page: str) -> Iterator[str]:
    """What of a page is English."""
    for text in Texts(page).found:
        plain = re.sub(r"^[›\d\s]+|[\s:.…]+$", "", text)
        if THEIRS.search(plain) or plain.lower() in ALIKE or "{" in plain:
            continue
        if plain.lower() in ours() or ENGLISH.search(plain):
            yield text


@pytest.mark.django_db
def test_no_english_is_left_on_the_pages_of_the_office(redis_url: str) -> None:
    world = World()
    world.grow(2)
    User.objects.filter(pk=world.user.pk).update(is_superuser=True, language="sq")
    client = Client()
    client.force_login(world.user)
    found = {}
    for name, address in pages(world).items():
        answer = client.get(address)
        assert answer.status_code == 200, name
        if texts := sorted(left(answer.content.decode())):
            found[name] = texts
    assert found == {}
