"""The OpenAPI document and its page."""

from typing import Any

import orjson
import pytest
from django.test import Client

from apps.rest.schema import document


@pytest.fixture(scope="module")
def paths() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(document())
    assert found["openapi"].startswith("3.1")
    return dict(found["paths"])


def test_every_resource_is_in_the_document(paths: dict[str, Any]) -> None:
    assert {"/api/v1/entries", "/api/v1/entries/{id}", "/api/v1/users"} <= set(paths)


@pytest.mark.django_db
def test_the_page_needs_nothing_from_elsewhere_and_no_inline_script() -> None:
    page = Client().get("/api/v1/docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert "http://" not in text and "https://" not in text
    assert "<script>" not in text
    assert "script-src" not in page.headers["Content-Security-Policy"]  # default-src 'self' holds for scripts
