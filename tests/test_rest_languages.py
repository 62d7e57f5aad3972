"""Refusals are said in the language of who asks: a header says it, codes and names of fields are the same in both."""

import pytest

from apps.events.factories import EntryFactory
from apps.rest.tests.client import Api, official

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture
def api() -> Api:
    return official(EntryFactory(race_number=7).event.organization, "marshal")


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("get", "entries?colour=red", None, "Nuk ka filtër të tillë."),
        ("get", "entries?limit=0", None, "Numër i plotë nga 1 deri në 1000."),
        ("get", "entries/none", None, "Nuk ka rresht të tillë, ose nuk ju takon ta shihni."),
        ("post", "entries", {"race_number": "7"}, "Kërkesa nuk është e vlefshme."),
        ("patch", "vehicles", {}, "Kjo adresë nuk e pranon: koka Allow thotë çfarë pranon."),
    ],
)
def test_a_refusal_is_said_in_albanian(api: Api, method: str, path: str, body: object, words: str) -> None:
    said, english = (getattr(api, method)(path, *([body] if body is not None else []), Accept_Language=language)
                     for language in ("sq", "en"))  # fmt: skip
    assert words in {said.json["detail"], *(error["message"] for error in said.json["errors"])}
    assert words not in english.content.decode()
    told = [[(error["field"], error["code"]) for error in one.json["errors"]] for one in (said, english)]
    assert (said.status, told[0]) == (english.status, told[1])


def test_who_does_not_say_who_they_are_is_asked_in_albanian() -> None:
    answer = Api().get("decisions", Accept_Language="sq")
    assert (answer.status, answer.json["detail"]) == (401, "Thoni kush jeni: hyni, ose dërgoni një token.")
