"""An event goes to another machine by a file and comes to the same hashes there, or not at all."""

import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from redis import Redis

from apps.accounts.factories import CommentFactory, UserFactory
from apps.accounts.models import User
from apps.archive.tables import LEFT_OUT, PEOPLE, TABLES
from apps.commands.factories import CommandFactory
from apps.course.models import Stage
from apps.events.factories import EntryCrewFactory
from apps.events.models import EntryDevice, Event
from apps.safety.factories import (
    AccountingFactory,
    AlertFactory,
    AlertLineFactory,
    SafetySettingsFactory,
    StageClosingFactory,
)
from apps.scoring import snapshot
from apps.scoring.models import ResultRevision
from apps.scoring.revisions import Publication, publish
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import race
from tests.test_restore_drill import empty_database, manage  # noqa: F401 - a fixture


def test_every_table_is_in_the_archive_or_left_out_for_a_reason() -> None:
    """A new model has to be put into one of the two lists, by who makes it."""
    there = {model._meta.db_table for model in apps.get_models()}
    left_out = {name for names in LEFT_OUT.values() for name in names}
    archived = {table.name for table in TABLES}
    assert archived & left_out == set()
    assert there - archived - left_out == set()
    assert (archived | left_out) - there == set()


def test_whoever_a_row_names_goes_along() -> None:
    """Every column of the archived tables that points to a user is asked for people."""
    for model in apps.get_models():
        if model._meta.db_table in {table.name for table in TABLES}:
            for field in model._meta.concrete_fields:
                if field.related_model is User:
                    assert f"select {field.column} from {model._meta.db_table} where" in PEOPLE


def safety_desk(built: rally.Rally) -> None:
    """An alert with its log and comments, a closed stage, commands: one under way, one of another week."""
    entry, stage, home = built.entries[0], Stage.objects.get(id=built.stage_id), built.event.organization
    line = AlertLineFactory(alert=AlertFactory(entry=entry, stage=stage, owner=UserFactory()), author=UserFactory())
    AccountingFactory(entry=entry, stage=stage)
    StageClosingFactory(stage=stage)
    SafetySettingsFactory(event=built.event)
    for row in (entry, line.alert, AlertFactory()):  # the last is of another event
        CommentFactory(organization=home, table=row._meta.db_table, row=str(row.pk), text="seen at CP 2")
    lent = EntryDevice.objects.filter(entry=entry).latest("assigned_from")
    for begins in (lent.assigned_from, lent.assigned_from - timedelta(days=7)):
        CommandFactory(organization=home, device=lent.device, not_before=begins, expires_at=begins + timedelta(hours=1))


@pytest.fixture
def event(redis: Redis, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """A driven rally with crews and a decision, its stage and classification published; the slug."""
    monkeypatch.setattr(snapshot, "SETTLED", timedelta(0))  # nobody writes beside the test
    built = rally.build()
    for entry in built.entries:
        EntryCrewFactory(entry=entry)
    race(redis, built)
    official = UserFactory()
    safety_desk(built)
    publish(Publication(built.event, "unofficial", Stage.objects.get(id=built.stage_id)), official)
    publish(Publication(built.event, "provisional"), official)
    return str(built.event.slug)


@pytest.fixture
def archive(event: str, tmp_path: Path) -> Path:
    path = tmp_path / "event.zip"
    call_command("export_archive", event, path)
    return path


# A command that was waiting is nothing to send from there.
SAFETY_DESK = (
    "alerts where owner_id is not null", "alert_lines where author_id is not null", "entry_accountings",
    "stage_closings", "safety_settings", "commands where state = 'expired'",
)  # fmt: skip


def count(database: str, table: str) -> int:
    with psycopg.connect(database) as server:
        row = server.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else -1


@pytest.fixture
def machine(empty_database: str) -> str:  # noqa: F811
    """Another machine: a database of TRM without any event."""
    done = manage(empty_database, "prepare_database", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    return empty_database


def test_there_it_comes_to_the_same_hashes_and_only_once(archive: Path, event: str, machine: str) -> None:
    assert archive.stat().st_mode & 0o777 == 0o600
    done = manage(machine, "import_archive", str(archive))
    assert done.returncode == 0, done.stderr
    assert "5 results and 2 revisions computed anew, all to the same hashes" in done.stdout
    done = manage(machine, "verify_revision", event)
    assert ResultRevision.objects.get(stage=None).hash in done.stdout, done.stderr
    assert count(machine, "domain_events") == 0  # nobody there is told of what happened here
    for what in SAFETY_DESK:
        assert count(machine, what) == 1, what
    assert count(machine, "comments") == 2
    assert count(machine, "users where is_superuser or is_staff or password <> '!'") == 0

    again = manage(machine, "import_archive", str(archive))
    assert (again.returncode, "events: 1 rows of the archive are here already" in again.stderr) == (1, True)


def test_a_clash_is_told_and_nothing_is_imported(archive: Path, event: str, machine: str) -> None:
    slug = Event.objects.get(slug=event).organization.slug
    with psycopg.connect(machine) as server:
        server.execute(
            "insert into organizations (id, name, slug, created_at, updated_at) "
            "values (gen_random_uuid(), 'Another', %s, now(), now())",
            [slug],
        )
    done = manage(machine, "import_archive", str(archive))
    assert done.returncode == 1
    assert f"organizations: '{slug}' is here under another id" in done.stderr
    assert [count(machine, table) for table in ("events", "users", "positions")] == [0, 0, 0]


ENGINE = f'"{snapshot.ENGINE}"'.encode()
Change = Callable[[bytes], bytes]


DAMAGES: list[tuple[str, Change, str]] = [
    ("positions.copy", lambda text: text[: text.rindex(b"\n", 0, -1) + 1], "SHA-256"),
    ("tables/entries.copy", lambda text: text.replace(b"\t301\t", b"\t399\t"), "SHA-256"),
    ("manifest.json", lambda text: text.replace(b'"entry_crew"', b'"auth_group"'), "is not known here"),
    ("manifest.json", lambda text: text.replace(ENGINE, b'"trm 0"'), "it was written by trm 0"),
    ("manifest.json", lambda text: text.replace(b'"race_number"', b'"race_number; --"'), "has no column"),
    ("manifest.json", lambda text: b"{", "is no archive of TRM"),
]


def test_a_damaged_file_is_refused(archive: Path) -> None:
    damaged = archive.with_name("damaged.zip")
    for member, change, message in DAMAGES:
        with zipfile.ZipFile(archive) as old, zipfile.ZipFile(damaged, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                new.writestr(name, change(content) if name == member else content)
        with pytest.raises(CommandError, match=message):
            call_command("import_archive", damaged)


def test_what_does_not_come_out_the_same_is_refused(archive: Path, machine: str) -> None:
    """The comparison can fail: a manifest that expects another rank."""
    forged = archive.with_name("forged.zip")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(forged, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                manifest = json.loads(content)
                manifest["expected"][0][5] = 77
                content = json.dumps(manifest).encode()
            new.writestr(name, content)
    done = manage(machine, "import_archive", str(forged))
    assert (done.returncode, "77" in done.stderr) == (1, True)
    assert [count(machine, table) for table in ("events", "positions", "stage_results")] == [0, 0, 0]


def test_a_tracker_taken_off_later_still_bears_out_what_was_published(event: str, tmp_path: Path) -> None:
    """Its fixes go along: the revision was computed from them."""
    EntryDevice.objects.filter(entry__race_number=301).delete()
    call_command("export_archive", event, tmp_path / "event.zip")
    with zipfile.ZipFile(tmp_path / "event.zip") as file:
        devices = {line.split(b"\t")[0] for line in file.read("positions.copy").splitlines()}
    assert len(devices) == 5


def test_a_file_that_is_there_is_never_written_over(event: str, tmp_path: Path) -> None:
    (tmp_path / "event.zip").write_text("last year's")
    with pytest.raises(CommandError, match="is there already"):
        call_command("export_archive", event, tmp_path / "event.zip")
