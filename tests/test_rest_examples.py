"""The examples of the OpenAPI document are bodies that the API takes, as far as the rows they name are there."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import orjson
import pytest

from apps.events.factories import EntryFactory
from apps.rest.schema import document
from apps.rest.tests.client import Api, official

DOCUMENT = orjson.loads(document())


def posts() -> Iterator[Any]:
    for path, methods in DOCUMENT["paths"].items():
        if "requestBody" in methods.get("post", ()):
            yield pytest.param(path, methods["post"], id=path)


@pytest.fixture
def api(db: None, redis_url: str) -> Api:
    return official(EntryFactory().event.organization)


def body(operation: dict[str, Any]) -> Any:
    (example,) = operation["requestBody"]["content"]["application/json"]["examples"].values()
    return example["value"]


@pytest.mark.parametrize(("path", "operation"), posts())
def test_an_example_is_as_the_document_says(path: str, operation: dict[str, Any]) -> None:
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    jsonschema_rs.validator_for({**whole, "components": DOCUMENT["components"]}).validate(body(operation))


def test_no_example_is_malformed(api: Api) -> None:
    """400 would say that it is; 401 comes to who signs in as the example does."""
    answers = {}
    for path, methods in DOCUMENT["paths"].items():
        if "requestBody" in methods.get("post", ()) and "{id}" not in path:
            answer = api.post(path.removeprefix("/api/v1/"), body(methods["post"]))
            answers[path] = (answer.status, answer.content)
    wrong = {path: told for path, told in answers.items() if told[0] not in (200, 201, 401, 403, 404, 409, 422)}
    assert not wrong and len(answers) > 20
