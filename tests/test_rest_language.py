"""What REST refuses is said in the language that the program asks for."""

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
