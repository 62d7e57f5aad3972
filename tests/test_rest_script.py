"""A script written from the OpenAPI document alone: an event is registered, its course imported, a stage opened."""

from typing import Any

import orjson
import pytest
from django.test import Client

from apps.accounts.factories import OrganizationUserFactory
from apps.rest.tests.client import Api

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

PASSWORD = "right horse battery"
GPX = """<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"
 xmlns:openrally="http://www.openrally.org/xmlschemas/GpxExtensions/v1.0.3">{}</gpx>"""
POINT = """<wpt lat="{lat}" lon="20.0"><name>{name}</name><extensions><openrally:{kind} open="800" clear="90"/>
</extensions></wpt>"""


class Script:
    """Knows nothing but the document: operations by their ids, and the fields their bodies need."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._document = orjson.loads(Client().get("/api/v1/openapi.json").content)
        self._operations = {
            operation["operationId"]: (method, path, operation)
            for path, methods in self._document["paths"].items()
            for method, operation in methods.items()
            if isinstance(operation, dict) and "operationId" in operation
        }

    def call(self, operation: str, body: dict[str, Any] | None = None, **ids: str) -> Any:
        method, path, told = self._operations[operation]
        if body is not None:
            self._check(told["requestBody"]["content"]["application/json"]["schema"], body)
        address = path.removeprefix("/api/v1/").format(**ids)
        answer = self._api.post(address, body) if method == "post" else self._api.get(address)
        assert str(answer.status) in told["responses"] and answer.status < 300, answer.content
        return answer.json

    def _check(self, schema: dict[str, Any], body: dict[str, Any]) -> None:
        found = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert set(found.get("required", ())) <= set(body) <= set(found["properties"])


def test_from_the_document_to_a_leaderboard() -> None:
    member = OrganizationUserFactory(role="org-admin")
    member.user.set_password(PASSWORD)
    member.user.save()
    api = Api()
    script = Script(api)
    token = script.call("tokens_create", {"email": member.user.email, "password": PASSWORD})["token"]
    api.headers = {"Authorization": f"Bearer {token}"}
    (organization,) = script.call("me")["roles"]
    event = script.call("events_create", {
        "organization": organization, "name": "Rally", "slug": "rally", "starts_at": "2026-06-06T08:00:00Z",
        "ends_at": "2026-06-13T18:00:00Z", "classes": [{"code": "C-2", "name": "Cars"}],
    })  # fmt: skip
    stage = script.call("stages_create", {
        "event": event["id"], "name": "Stage 1", "sort_order": 1, "starts_at": "2026-06-07T06:00:00Z",
        "segments": [{"sort_order": 1, "type": "special-stage", "start_from": "assigned"}],
    })  # fmt: skip
    segment = next(row for row in script.call("segments_list")["results"] if row["stage"] == stage["id"])
    points = zip((41.0, 41.1, 41.2), ("S", "W", "F"), ("dss", "wpm", "ass"), strict=True)
    course = GPX.format("".join(POINT.format(lat=lat, name=name, kind=kind) for lat, name, kind in points))
    report = script.call("segments_import_create", {"filename": "stage.gpx", "content": course}, id=segment["id"])
    assert report["waypoints"] == 3
    vehicle = script.call("vehicles_create", {"make": "Toyota", "model": "Land Cruiser 70", "cc": 4500})
    race_class = script.call("classes_list")["results"][0]
    entry = script.call("entries_create", {
        "event": event["id"], "race_class": race_class["id"], "vehicle": vehicle["id"], "race_number": 301,
        "crew": [{"user": str(member.user_id), "role": "pilot"}],
    })  # fmt: skip
    opened = script.call("stages_open_create", id=stage["id"])
    assert [row["entry"] for row in opened["rows"]] == [entry["id"]]
    assert script.call("events_leaderboard_retrieve", id=event["id"])["results"] is not None
