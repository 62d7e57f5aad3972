"""The OpenAPI document and its page."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.test import Client
from rest_framework.serializers import Serializer

from apps.rest.schema import document
from apps.rest.serializers import RowSerializer


@pytest.fixture(scope="module")
def paths() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(document())
    assert found["openapi"].startswith("3.1")
    return dict(found["paths"])


def test_every_resource_is_in_the_document(paths: dict[str, Any]) -> None:
    assert {"/api/v1/entries", "/api/v1/entries/{id}", "/api/v1/users"} <= set(paths)


def test_no_two_bodies_share_a_name(paths: dict[str, Any]) -> None:
    """In the document one would stand for both. Rows share theirs: they are the same but for what may be set."""
    kinds = [kind for kind in _kinds(Serializer) if kind.__module__.startswith("apps.")]
    names = Counter(kind.__name__ for kind in kinds if not issubclass(kind, RowSerializer))
    assert len(names) > 40 and names.most_common(1)[0][1] == 1, names.most_common(3)


def _kinds(base: type[Any]) -> Iterator[type[Any]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


@pytest.mark.django_db
def test_the_page_needs_nothing_from_elsewhere_and_no_inline_script() -> None:
    page = Client().get("/api/v1/docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert "http://" not in text and "https://" not in text
    assert "<script>" not in text
    assert "script-src" not in page.headers["Content-Security-Policy"]  # default-src 'self' holds for scripts
