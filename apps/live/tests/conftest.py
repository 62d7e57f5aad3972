from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from apps.live.tests import server
from apps.live.tests.server import WebServer


@pytest.fixture(scope="module")
def web(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[WebServer]:
    """One web process for the tests of a module; it ends before the test database is dropped."""
    with server.running() as running:
        yield running
