"""The restore drill: a driven rally, backed up, restored into an empty database, and its revision still verifies."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.common import dump
from apps.scoring import snapshot
from apps.scoring.models import ResultRevision
from apps.scoring.revisions import Publication, publish
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> ResultRevision:
    """A rally that was driven, with its classification published."""
    monkeypatch.setattr(snapshot, "SETTLED", timedelta(0))  # nobody writes beside the test
    built = rally.build()
    race(redis, built)
    return publish(Publication(built.event, "provisional"), UserFactory())


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The URL of a database that nothing has been done to."""
    name = f"drill_{token_hex(4)}"
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        server.execute(f"create database {name}")
        yield urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
        server.execute(f"drop database {name} with (force)")


def manage(database: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_restored_verifies_to_the_published_hash(
    published: ResultRevision, empty_database: str, tmp_path: Path
) -> None:
    path = tmp_path / "rally.dump"
    call_command("backup", path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]

    done = manage(empty_database, "restore", str(path))
    assert done.returncode == 0, done.stderr
    done = manage(empty_database, "verify_revision", published.event.slug)
    assert done.returncode == 0, done.stderr
    assert published.hash in done.stdout

    again = manage(empty_database, "restore", str(path))
    assert again.returncode == 1
    assert "restore into an empty one" in again.stderr


def test_one_changed_fix_in_the_restored_evidence_is_noticed(
    published: ResultRevision, empty_database: str, tmp_path: Path
) -> None:
    """The drill can fail: else it would prove nothing."""
    call_command("backup", tmp_path / "rally.dump")
    assert manage(empty_database, "restore", str(tmp_path / "rally.dump")).returncode == 0
    with psycopg.connect(empty_database) as server:
        server.execute("delete from positions where ts > (select min(ts) + interval '60 s' from positions)")
    done = manage(empty_database, "verify_revision", published.event.slug)
    assert (done.returncode, "cannot be relied on" in done.stderr) == (1, True)


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "old.dump"
    path.write_text("last week's")
    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", path)
    assert path.read_text() == "last week's"


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("backup", tmp_path / "nowhere" / "new.dump")
    assert list(tmp_path.iterdir()) == []


def test_half_a_backup_restores_nothing(published: ResultRevision, empty_database: str, tmp_path: Path) -> None:
    whole = tmp_path / "whole.dump"
    call_command("backup", whole)
    half = tmp_path / "half.dump"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    done = manage(empty_database, "restore", str(half))
    assert (done.returncode, "pg_restore" in done.stderr) == (1, True)
    with psycopg.connect(empty_database) as server:
        assert server.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone() == (0,)


def test_a_pg_dump_older_than_the_server_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump, "_major", lambda program: 9)
    with pytest.raises(CommandError, match="found was: 9"):
        call_command("backup", tmp_path / "new.dump")


def test_the_password_is_on_no_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = subprocess.run

    def watched(words: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
        seen.extend(map(str, words))
        return real(words, **more)

    monkeypatch.setattr(subprocess, "run", watched)
    call_command("backup", tmp_path / "new.dump")
    assert "--format=custom" in seen
    assert not [word for word in seen if connection.settings_dict["PASSWORD"] in word]
