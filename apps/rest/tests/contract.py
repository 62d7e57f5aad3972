"""Answers held against the OpenAPI document: every test that asks the API asks this as well."""

import re
from functools import cache
from typing import Any

import jsonschema_rs
import orjson

from apps.rest.schema import document

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def validator(schema: dict[str, Any]) -> Any:
    """Of a schema of the document."""
    whole = {"$schema": DIALECT, **schema, "components": _document()["components"]}
    return jsonschema_rs.validator_for(whole, validate_formats=True)


def breach(method: str, path: str, answer: Any) -> str:
    """What of an answer the document does not say, empty where it says all of it."""
    operation = _operation(method, path.partition("?")[0])
    if operation is None:
        return ""  # there is no such address, or it does not do that
    found = _document()["paths"][operation][method]["responses"].get(str(answer.status_code))
    if found is None:
        return f"{method} {operation}: no {answer.status_code}"
    kind = answer.headers.get("Content-Type", "")
    if "content" not in found:
        return f"{method} {operation}: {answer.status_code} with a body" if answer.content else ""
    if kind not in found["content"]:
        return f"{method} {operation}: {answer.status_code} is {kind}"
    if "json" not in kind:
        return ""
    wrong = [str(error) for error in _validator(operation, method, str(answer.status_code), kind).iter_errors(
        orjson.loads(answer.content)
    )]  # fmt: skip
    return f"{method} {operation}: {wrong[0]}" if wrong else ""


@cache
def _document() -> Any:
    return orjson.loads(document())


@cache
def _validator(operation: str, method: str, status: str, kind: str) -> Any:
    return validator(_document()["paths"][operation][method]["responses"][status]["content"][kind]["schema"])


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Addresses without an id first: `dead_letters/replay` is no id."""
    paths = sorted(_document()["paths"], key=lambda path: path.count("{"))
    return [(path, re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path))) for path in paths]


def _operation(method: str, path: str) -> str | None:
    found = [known for known, pattern in _patterns() if pattern.fullmatch(path)]
    return next((known for known in found if method in _document()["paths"][known]), None)
