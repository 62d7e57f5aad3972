"""A checkout that would silently make a database without tables is refused."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings

from apps.common.checks import migration_packages


def test_every_migration_package_of_this_checkout_is_there() -> None:
    assert migration_packages() == []


@pytest.mark.parametrize("made", ["folder without __init__.py", "nothing"])
def test_a_label_without_its_package_is_an_error(made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if made != "nothing":
        (tmp_path / "no_init_here").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    with override_settings(MIGRATION_MODULES={**settings.MIGRATION_MODULES, "course": "no_init_here"}):
        (error,) = [message for message in run_checks() if message.id == "trm.E001"]
    assert "'course'" in error.msg
    assert error.hint == "Make no_init_here/__init__.py."


def test_a_package_inside_a_missing_package_is_an_error_too() -> None:
    with override_settings(MIGRATION_MODULES={"course": "no_such_place.course"}):
        assert [message.id for message in migration_packages()] == ["trm.E001"]
