"""Every command of docs/operations.md is run as it is written, in one rally that has the runbook's names.

`docker compose exec web …` is run here as the command inside; `psql` and `valkey-cli` ask the test's servers; of what
moves containers about, the services and options must be there.
"""

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.catalog.models import Device
from apps.course.models import Stage
from apps.events.models import Event
from apps.integrations.factories import WebhookFactory
from apps.scoring import snapshot
from apps.scoring.revisions import Publication, publish
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import race
from trm.tests.deployment import ours, services

RUNBOOK = settings.BASE_DIR / "docs" / "operations.md"
TEXT = RUNBOOK.read_text()
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCK.findall(TEXT) for line in block.splitlines()]
IMEI = "356307042441013"
EXEC = ("docker", "compose", "exec")
RUN = ("docker", "compose", "run", "--rm", "--no-deps")
# What moves containers about, with the options that docs/operations.md uses.
VERBS = {
    "ps": {"--all"},
    "logs": {"--since", "--tail"},
    "up": {"--detach", "--no-recreate", "--wait", "--scale"},
    "restart": set(),
    "stop": set(),
    "cp": set(),
}
SYMPTOMS = (
    "lag grows", "dead letters", "wrong time", "tracker is silent", "database is full", "redis is lost",
    "clock is wrong", "restore from a backup", "results are stale", "live viewers", "webhook fails",
    "sos is not shown", "command to a tracker",
)  # fmt: skip


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_each_symptom_has_a_page_with_commands_and_what_good_looks_like(symptom: str) -> None:
    pages = [page for page in TEXT.split("\n## ")[1:] if symptom in page.partition("\n")[0].lower()]
    assert len(pages) == 1
    assert "```sh" in pages[0] and "**Good:**" in pages[0]


def test_a_restore_stops_all_that_holds_the_database() -> None:
    """PostgreSQL renames no database that somebody is connected to."""
    (stopped,) = [set(line.split()[3:]) for line in COMMANDS if line.startswith("docker compose stop ")]
    assert stopped == (set(ours()) - {"prepare"}) | {"proxy"}


@pytest.fixture
def world(redis: Redis, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """A driven rally with the runbook's event, stage, number, tracker and webhook, its stage published."""
    monkeypatch.setattr(snapshot, "SETTLED", timedelta(0))  # nobody writes beside the test
    built = rally.build()
    Event.objects.filter(id=built.event.id).update(slug="rally-albania-2026")
    Device.objects.filter(imei=built.imeis[0]).update(imei=IMEI)
    built = replace(built, imeis=(IMEI, *built.imeis[1:]))
    race(redis, built)
    publish(Publication(built.event, "provisional", Stage.objects.get(id=built.stage_id)), UserFactory())
    WebhookFactory(organization=built.event.organization, name="results")
    yield redis


@pytest.mark.slow
def test_every_command_is_run_as_it_is_written(world: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(COMMANDS) > 40
    for line in COMMANDS:
        words = shlex.split(line)
        try:
            _run(world, words, tmp_path)
        except BaseException as error:
            error.add_note(f"docs/operations.md: {line}")
            raise


def _run(redis: Redis, words: list[str], backups: Path) -> None:
    if tuple(words[:3]) == EXEC or tuple(words[:5]) == RUN:
        service, *inside = words[3 if words[2] == "exec" else 5 :]
        assert service in services()
        return _inside(redis, inside, backups)
    if words[:2] == ["docker", "compose"]:
        return _containers(words[2], words[3:])
    assert words == ["timedatectl"], "a program of the host that nobody has looked at"
    return None


def _inside(redis: Redis, words: list[str], backups: Path) -> None:
    program, *arguments = words
    match program:
        case "python" if arguments[0] == "manage.py":
            _manage(arguments[1:], backups)
        case "python":
            assert (settings.BASE_DIR / arguments[0]).is_file()
        case "psql":
            _psql(arguments)
        case "valkey-cli":
            ask: Any = redis.execute_command
            ask(*arguments)
        case _:
            done = subprocess.run([program, "--version"], capture_output=True, check=False)
            assert (program, done.returncode) == ("df", 0)


def _manage(words: list[str], backups: Path) -> None:
    """Run it here; a restore wants an empty database and has a test of its own: here its file must be there."""
    words = [word.replace("/backups/", f"{backups}/") for word in words]
    if words[0] == "restore":
        assert Path(words[1]).is_file(), "no backup of that name was made before"
        return
    call_command(*words, stdout=StringIO(), stderr=StringIO())


def _psql(arguments: list[str]) -> None:
    options = dict(argument.removeprefix("--").split("=", 1) for argument in arguments)
    assert options["username"] == services()["postgres"]["environment"]["POSTGRES_USER"]
    statement = options["command"]
    if "dbname" in options:  # moves whole databases: its words are looked at, and it is not run
        assert re.fullmatch(r"alter database trm rename to trm_before|create database trm", statement)
        return
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("%", "%%"), [])


def _containers(verb: str, words: list[str]) -> None:
    options: dict[str, Any] = {}
    names = []
    rest = iter(words)
    for word in rest:
        if word in ("--since", "--tail", "--scale"):
            options[word] = next(rest)
        elif word.startswith("--"):
            options[word] = ""
        else:
            names.append(word.partition(":")[0])
    assert options.keys() <= VERBS[verb]
    names += [options["--scale"].partition("=")[0]] if "--scale" in options else []
    assert set(names) - {"."} <= set(services())
