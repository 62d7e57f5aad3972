"""One tree for all demos of the tests: the first makes the database, the others find it, as a second demo does."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, so that the demo's servers and logs are its own."""
    place = tmp_path_factory.mktemp("demo")
    for name in ("apps", "trm", "migrations", "sql"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    shutil.copy(ROOT / "manage.py", place)
    return place
