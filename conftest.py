"""Fixtures of the whole suite; the servers themselves are in tests/servers.py."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_client
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils import translation
from playwright.sync_api import Browser, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from tests import servers
from tests.emptying import empty_tables, empty_unmanaged_tables

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]


class QuickPasswords(PBKDF2PasswordHasher):
    """One round instead of a million, in the form that servers under test can check as well."""

    iterations = 1


def pytest_configure() -> None:
    from django.conf import settings
    from django.test import TransactionTestCase
    from hypothesis import HealthCheck
    from hypothesis import settings as properties

    # A busy machine makes no property false.
    properties.register_profile("trm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    properties.load_profile("trm")

    settings.PASSWORD_HASHERS = [f"{__name__}.{QuickPasswords.__name__}"]
    TransactionTestCase._fixture_teardown = lambda self: empty_tables()  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def trm_servers() -> None:
    """PostgreSQL and Redis run. A run without any test that needs them does not start them."""
    servers.start()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, trm_servers: None) -> None:
    """Before the test database is made: start the servers, let its `migrate` begin with sql/."""
    from django.apps import apps
    from django.db.models.signals import pre_migrate

    # The signal comes once for each app with models: any one of them will do.
    pre_migrate.connect(_apply_sql_before_migrate, sender=apps.get_app_config("accounts"))


def _apply_sql_before_migrate(using: str, **_kwargs: object) -> None:
    from apps.common.sql import Phase, apply_sql

    apply_sql(Phase.BEFORE_MIGRATE, using=using)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database, with sql/ from 500 applied after its `migrate`."""
    from apps.common.sql import Phase, apply_sql

    with django_db_blocker.unblock():
        apply_sql(Phase.AFTER_MIGRATE)


@pytest.fixture(autouse=True)
def _empty_unmanaged_tables(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty `positions` and the audit log after a test that commits: Django flushes its own models only."""
    marker = request.node.get_closest_marker("django_db")
    commits = "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction"))
    if commits:
        request.getfixturevalue("transactional_db")
    yield
    if commits:
        empty_unmanaged_tables()


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """The language a request has activated stays with the thread after it."""
    yield
    translation.deactivate()


@pytest.fixture
def redis_url(trm_servers: None) -> Iterator[str]:
    """The URL of an empty Redis database of this worker, the same as settings.REDIS_URL."""
    url = os.environ["REDIS_URL"]
    with redis_client.Redis.from_url(url, socket_timeout=10) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture
def redis(redis_url: str) -> Iterator[redis_client.Redis]:
    """A client of `redis_url` that gives bytes."""
    with redis_client.Redis.from_url(redis_url, socket_timeout=10) as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Without it the test is skipped, except in CI, where that would be a hole."""
    if not CHROMIUM.exists():
        reason = f"no Chromium at {CHROMIUM} (apt-get install chromium)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs an event loop on this thread, where Django would refuse its synchronous queries.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        yield running
        running.close()
