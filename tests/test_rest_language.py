"""What REST refuses is said in the language that the program asks for; codes and names of fields stay."""

import json
from typing import Any

import pytest

from apps.course.factories import SegmentFactory, StageFactory
from apps.events.factories import EventFactory
from apps.events.models import Event
from apps.rest.tests.client import Api, official

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]
ALBANIAN = {"Accept_Language": "sq"}


@pytest.fixture
def event() -> Event:
    return EventFactory()


@pytest.fixture
def director(event: Event) -> Api:
    return official(event.organization, "race-director")


def test_start_settings(director: Api, event: Event) -> None:
    stage = StageFactory(event=event, start_order_strategy="manual", start_order_strategy_params={"order": [0]})
    address = f"stages/{stage.id}/proposal"
    assert director.get(address).json["detail"] == f"{stage.name}: order[0]: 0 is no whole number from 1 on"
    told = director.get(address, **ALBANIAN)
    assert (told.status, told.json["detail"]) == (
        409,
        f"{stage.name}: order[0]: 0 nuk është numër i plotë nga 1 e lart",
    )


def test_rules(director: Api, event: Event) -> None:
    rule = {"event": str(event.id), "type": "late_start", "bracket_mode": "whole", "penalty": 60}
    (error,) = director.post("penalty_formulas", rule, **ALBANIAN).json["errors"]
    assert error["message"] == "mode: late_start njeh flat_max, marginal, jo 'whole'"


def course(*features: dict[str, Any]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def test_course_files(director: Api, event: Event) -> None:
    segment = SegmentFactory(stage=StageFactory(event=event))
    point = {"type": "Feature", "properties": {"name": "A", "type": "WPX"}, "geometry": {"type": "Point"}}
    given = {"filename": "a.geojson", "content": course(point, {}), "dry_run": True}
    refused = director.post(f"segments/{segment.id}/import", given, **ALBANIAN)
    assert (refused.status, refused.json["detail"]) == (422, "Nuk u importua asgjë: skedari ka gabime.")
    by_field = {error["field"]: error["message"] for error in refused.json["errors"]}
    assert by_field["objekti 1 'A': coordinates"] == "duhen gjerësia dhe gjatësia gjeografike në gradë"
    assert by_field["objekti 2: type"] == "nuk është Feature"


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
def test_a_refusal_says_the_same_in_both_languages(
    director: Api, method: str, path: str, body: object, words: str
) -> None:
    said, english = (getattr(director, method)(path, *([body] if body is not None else []), Accept_Language=language)
                     for language in ("sq", "en"))  # fmt: skip
    assert words in {said.json["detail"], *(error["message"] for error in said.json["errors"])}
    assert words not in english.content.decode()
    told = [[(error["field"], error["code"]) for error in one.json["errors"]] for one in (said, english)]
    assert (said.status, told[0]) == (english.status, told[1])


def test_who_does_not_say_who_they_are_is_asked_in_albanian() -> None:
    answer = Api().get("decisions", Accept_Language="sq")
    assert (answer.status, answer.json["detail"]) == (401, "Thoni kush jeni: hyni, ose dërgoni një token.")
