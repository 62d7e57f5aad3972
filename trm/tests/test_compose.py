"""docker-compose.yml names what there is: commands, options, settings, queues, services, files."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from celery.bin.celery import celery as celery_cli
from django.conf import settings
from django.core.management import get_commands, load_command_class

from trm.tests.deployment import ROOT, compose, ours, services

# Read by uvicorn and by libpq, not by us.
FOREIGN = {"FORWARDED_ALLOW_IPS", "PGOPTIONS"}
PROCESSES = {"web", "live", "processor", "scorer", "relay", "safety", "commands"}
ROLES = PROCESSES | {"worker-acts", "worker-bulk", "beat", "prepare"}


def test_every_role_has_its_service() -> None:
    assert set(ours()) == ROLES
    assert set(services()) - ROLES == {"postgres", "valkey", "proxy"}


@pytest.mark.parametrize("name", sorted(ROLES - {"web"}))
def test_each_command_is_one_of_ours_with_its_options(name: str) -> None:
    program, *words = ours()[name]["command"]
    if program == "python":
        assert words[0] == "manage.py"
        app = get_commands()[words[1]]
        assert isinstance(app, str)
        load_command_class(app, words[1]).create_parser("manage.py", words[1]).parse_args(words[2:])
    else:
        assert (program, words[:2]) == ("celery", ["-A", "trm"])
        command = celery_cli.commands[words[2]]
        command.make_context(words[2], list(words[3:]), obj=_NoApp(), resilient_parsing=True)


class _NoApp:
    """What Celery's options ask for while they are read."""

    class app:  # noqa: N801
        conf = settings


def test_every_variable_that_a_service_of_ours_gets_is_a_setting() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "trm" / "settings.py").read_text()))
    given = {name for service in ours().values() for name in service["environment"]}
    assert given - read == FOREIGN


def test_check_deploy_has_nothing_to_say_where_the_office_runs() -> None:
    clean = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
    environment = clean | {key: str(value) for key, value in ours()["web"]["environment"].items()}
    words = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_who_waits_for_health_waits_for_a_healthcheck() -> None:
    for name, service in services().items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in services(), name
            if wait["condition"] == "service_healthy":
                assert "test" in services()[other]["healthcheck"], f"{name} waits for {other}"
            else:
                assert (other, services()[other]["restart"]) == ("prepare", "no")


def test_whatever_runs_for_long_has_a_healthcheck_and_starts_again() -> None:
    for name, service in services().items():
        if name != "prepare":
            assert service["healthcheck"]["test"][0].startswith("CMD"), name
            assert service["restart"] == "unless-stopped", name


def test_nothing_of_ours_starts_before_the_database_is_prepared() -> None:
    for name, service in ours().items():
        assert name == "prepare" or service["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in services().items() if "ports" in service] == ["proxy"]


def test_the_workers_serve_every_queue_of_the_settings() -> None:
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    served = {words[words.index("--queues") + 1] for words in _celery("worker")}
    assert served == routed | {settings.CELERY_TASK_DEFAULT_QUEUE}


def _celery(kind: str) -> list[list[str]]:
    return [service["command"] for service in ours().values() if kind in service.get("command", [])]


def test_the_beat_is_asked_for_the_file_it_writes() -> None:
    (words,) = _celery("beat")
    assert words[words.index("--schedule") + 1] == services()["beat"]["healthcheck"]["test"][-1]


def test_redis_keeps_what_it_was_told() -> None:
    words = services()["valkey"]["command"]
    told = dict(zip(words[1::2], words[2::2], strict=True))
    assert (told["--appendonly"], told["--maxmemory-policy"]) == ("yes", "noeviction")


def test_every_volume_and_file_is_there() -> None:
    volumes = [volume.split(":") for service in services().values() for volume in service.get("volumes", [])]
    named = {parts[0] for parts in volumes if not parts[0].startswith(".")}
    assert named == set(compose()["volumes"])
    assert all((ROOT / parts[0]).exists() for parts in volumes if parts[0].startswith("."))


def test_the_proxy_leads_to_ports_that_are_listened_on() -> None:
    caddy = (ROOT / "deploy" / "Caddyfile").read_text()
    assert "reverse_proxy web:8000" in caddy
    assert '"--port", "8000"' in (ROOT / "Dockerfile").read_text()
    live: list[str] = ours()["live"]["command"]
    assert f"name live\n\t\t\t\tport {live[live.index('--port') + 1]}\n" in caddy


@pytest.mark.parametrize("name", sorted(ROLES - {"prepare"}))
def test_probes_in_healthchecks_have_their_file(name: str) -> None:
    test: list[Any] = ours()[name]["healthcheck"]["test"]
    assert test[0] == "CMD-SHELL" or (test[1] == "python" and (ROOT / Path(test[2])).is_file())
