"""The pages speak Albanian wholly: no text without its translation, no compiled file older than its source."""

import gettext
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from apps.live import words
from apps.live.tests import boards

HERE = Path(words.__file__).parent
LOCALE = HERE / "locale/sq/LC_MESSAGES"
PAIR = re.compile(r'^msgid "(.+)"\nmsgstr "(.*)"$', re.MULTILINE)
TRANSLATE = re.compile(r"""\{%\s*translate\s+["'](.+?)["']\s*%\}""")
SAME = {"{n} s", "{n} min", "{n} km/h", "SOS", "m", "km"}  # alike in both languages


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    else:
        yield str(value)


def test_the_compiled_file_is_that_of_its_source() -> None:
    with (LOCALE / "django.mo").open("rb") as compiled:
        found = gettext.GNUTranslations(compiled)
    pairs = PAIR.findall((LOCALE / "django.po").read_text())
    assert len(pairs) > 90
    for text, translated in pairs:
        assert translated and found.gettext(text) == translated, text


@pytest.mark.parametrize("of", [words.board_words, words.replay_words, words.control_words])
def test_every_word_of_the_modules(of: Any) -> None:
    with translation.override("en"):
        english = list(texts(of()))
    with translation.override("sq"):
        albanian = list(texts(of()))
    assert [one for one, other in zip(english, albanian, strict=True) if one == other and one not in SAME] == []
    for one, other in zip(english, albanian, strict=True):
        assert set(re.findall(r"\{\w+\}", one)) == set(re.findall(r"\{\w+\}", other)), one


def test_every_text_of_the_templates() -> None:
    sources = [path.read_text() for path in (HERE / "templates").rglob("*.html")]
    wanted = {text for source in sources for text in TRANSLATE.findall(source)}
    assert len(wanted) > 30
    with translation.override("sq"):
        assert sorted(text for text in wanted if translation.gettext(text) == text) == []


@pytest.mark.django_db
def test_a_visitor_chooses_the_language(client: Client) -> None:
    boards.build()
    address = "/live/rally-albania-2026/"
    assert "All classes" in client.get(address).content.decode()
    answer = client.post("/live/language", {"language": "sq", "next": address})
    assert answer.headers["Location"] == address
    page = client.get(address).content.decode()
    assert '<html lang="sq"' in page and "Të gjitha klasat" in page and "në garë" in page
    assert (
        client.post("/live/language", {"language": "en", "next": "https://elsewhere.example/"}).headers["Location"]
        == "/"
    )
