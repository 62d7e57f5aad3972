"""The examples of the OpenAPI document: as its schemas have them, and bodies that the API takes."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from rest_framework.exceptions import ValidationError

from apps.events.factories import EntryFactory
from apps.rest.problems import UNFIT
from apps.rest.schema import document
from apps.rest.tests.client import Api, official
from apps.rest.tests.contract import validator
from trm.api import RESOURCES

DOCUMENT = orjson.loads(document())


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        yield from ((path, method, told) for method, told in methods.items() if "responses" in told)


def contents() -> Iterator[Any]:
    """Every body that is asked for, and every answer that is good, as JSON."""
    for path, method, told in operations():
        parts = {"body": told.get("requestBody", {}), **told["responses"]}
        for name, part in parts.items():
            if name == "body" or name.startswith("2"):
                content = part.get("content", {}).items()
                yield from (pytest.param(one, id=f"{method} {path} {name}") for kind, one in content if "json" in kind)


@pytest.fixture
def api(db: None, redis_url: str) -> Api:
    return official(EntryFactory().event.organization)


def value(content: dict[str, Any]) -> Any:
    (example,) = content["examples"].values()
    return example["value"]


@pytest.mark.parametrize("content", list(contents()))
def test_an_example_is_as_the_document_says(content: dict[str, Any]) -> None:
    validator(content["schema"]).validate(value(content))


def test_answers_show_what_is_asked_most() -> None:
    """An example of a list has one row on its last page, and no column that a list leaves out."""
    (row,) = value(
        DOCUMENT["paths"]["/api/v1/stage_results"]["get"]["responses"]["200"]["content"]["application/json"]
    )["results"]
    assert (row["status"], row["splits"], "outcome" in row) == ("finished", [5_412_300], False)


def test_no_example_is_malformed(api: Api) -> None:
    """400 would say that it is; 401 comes to who signs in as the example does."""
    answers = {}
    for path, method, told in operations():
        if method == "post" and "requestBody" in told and "{id}" not in path:
            body = value(told["requestBody"]["content"]["application/json"])
            answer = api.post(path.removeprefix("/api/v1/"), body)
            answers[path] = (answer.status, answer.content)
    wrong = {path: told for path, told in answers.items() if told[0] not in (200, 201, 401, 403, 404, 409, 422)}
    assert not wrong and len(answers) > 20


@pytest.mark.django_db
def test_no_change_is_malformed() -> None:
    """But for the rows it names, which are not there."""
    changeable = {name: view for name, view in RESOURCES.items() if hasattr(view, "partial_update")}
    for name, view in changeable.items():
        body = DOCUMENT["paths"][f"/api/v1/{name}/{{id}}"]["patch"]["requestBody"]["content"]["application/json"]
        try:
            assert view().checked(value(body), partial=True)  # type: ignore[attr-defined]
        except ValidationError as error:
            assert {one.code for told in error.detail.values() for one in told} <= UNFIT, (name, error)  # type: ignore[union-attr]
    assert len(changeable) > 20
