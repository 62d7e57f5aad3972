"""Readiness asks the real servers."""

import pytest
from django.test import override_settings

from apps.common.health import not_ready


@pytest.mark.django_db
def test_ready_when_both_servers_answer(redis_url: str) -> None:
    assert not_ready() == ""


def test_each_silent_server_is_named(redis_url: str) -> None:
    with override_settings(DATABASE_URL="postgres://127.0.0.1:1/none"):
        assert not_ready().startswith("PostgreSQL: ")
        with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
            reason = not_ready()
    assert "Redis: " in reason
    assert "PostgreSQL: " in reason
