"""A command is allowed or refused, sent once, and ends in one state, whatever dies or comes twice on the way."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone
from redis import Redis

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import User
from apps.audit.models import AuditEntry
from apps.catalog.factories import OrganizationDeviceFactory
from apps.catalog.models import OrganizationDevice
from apps.commands.dispatcher import RESPONSES, Dispatcher
from apps.commands.factories import CommandTextFactory
from apps.commands.models import Command
from apps.commands.services import Order, send, send_all
from apps.common import stream

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def link() -> OrganizationDevice:
    """A device of an organization, whose model may be asked getinfo by directors and told some parameters."""
    made: OrganizationDevice = OrganizationDeviceFactory.create()
    CommandTextFactory.create(device_model=made.device.model, pattern="getinfo")
    CommandTextFactory.create(device_model=made.device.model, pattern=r"setparam 104:\d+", roles=["org-admin"])
    return made


def member(link: OrganizationDevice, role: str = "race-director") -> User:
    user: User = OrganizationUserFactory.create(organization=link.organization, role=role).user
    return user


def ask(link: OrganizationDevice, text: str = "getinfo", role: str = "race-director", **more: Any) -> Command:
    return send(member(link, role), Order(link.organization, text, **more), link.device)


class Ingestion:
    """Holds the sockets of devices, as an ingestion instance would; what it was sent, by command."""

    def __init__(self, redis: Redis, name: str = "i-1") -> None:
        self._redis, self.name = redis, name
        redis.set(f"instance:heartbeat:{name}", 1, ex=90)

    def holds(self, link: OrganizationDevice) -> None:
        self._redis.hset("connections:registry", link.device.imei, self.name)

    def sent(self) -> list[str]:
        entries = stream.entries(self._redis, f"commands:outbound:{self.name}")
        return [message.fields[b"id"].decode() for message in entries]

    def says(self, command: Command, status: str, response: str = "") -> None:
        self._redis.xadd(RESPONSES, {"id": str(command.pk), "status": status, "response": response})


def work(redis: Redis, name: str = "d") -> None:
    Dispatcher(redis, name, 1).run_until_idle()


def state(command: Command) -> tuple[str, str]:
    command.refresh_from_db()
    return command.state, command.response


@pytest.mark.parametrize(
    ("role", "text", "error"),
    [
        ("race-director", "getinfo", None),
        ("org-admin", "setparam 104:5", None),
        ("race-director", "setparam 104:5", ValidationError),
        ("org-admin", "setparam 104:5;cpureset", ValidationError),
        ("org-admin", "cpureset", ValidationError),
        ("marshal", "getinfo", PermissionDenied),
        ("timekeeper", "getinfo", PermissionDenied),
    ],
)
def test_only_what_is_on_the_list_of_a_role_is_sent(
    link: OrganizationDevice, role: str, text: str, error: type[Exception] | None
) -> None:
    if error is None:
        command = ask(link, text, role)
        assert AuditEntry.objects.filter(table="commands", row_id=str(command.pk)).exists()
    else:
        with pytest.raises(error):
            ask(link, text, role)
        assert not Command.objects.exists()


def test_a_group_gets_it_all_or_none(link: OrganizationDevice) -> None:
    other = OrganizationDeviceFactory.create(organization=link.organization, device__model=link.device.model)
    stranger = OrganizationDeviceFactory.create(device__model=link.device.model)
    order = Order(link.organization, "getinfo")
    with pytest.raises(ValidationError):
        send_all(member(link), order, [link.device, stranger.device])
    assert not Command.objects.exists()
    sent = send_all(member(link), order, [link.device, other.device])
    assert len({command.batch for command in sent}) == 1 and sent[0].batch is not None


def test_a_command_goes_to_the_instance_that_holds_the_device_and_is_answered(
    link: OrganizationDevice, redis: Redis
) -> None:
    command, ingestion = ask(link), Ingestion(redis)
    work(redis)
    assert ingestion.sent() == []  # nobody holds it yet
    ingestion.holds(link)
    for _ in range(3):
        work(redis)
    assert ingestion.sent() == [str(command.pk)]
    for status, expected in (("delivered", ("delivered", "")), ("responded", ("responded", "RTC: 10:00"))):
        ingestion.says(command, status, expected[1])
        work(redis)
        assert state(command) == expected
    for late in ("delivered", "nack", "responded"):  # duplicates, and out of order
        ingestion.says(command, late, "again")
    work(redis)
    assert state(command) == ("responded", "RTC: 10:00") and command.settled_at


def test_a_dead_instance_gets_nothing(link: OrganizationDevice, redis: Redis) -> None:
    ask(link)
    Ingestion(redis).holds(link)
    redis.delete("instance:heartbeat:i-1")
    work(redis)
    assert not redis.exists("commands:outbound:i-1")
    alive = Ingestion(redis, "i-2")
    alive.holds(link)
    work(redis)
    assert len(alive.sent()) == 1


def test_a_scheduled_command_waits_and_a_late_one_expires(link: OrganizationDevice, redis: Redis) -> None:
    ingestion, now = Ingestion(redis), timezone.now()
    later = ask(link, not_before=now + timedelta(hours=1))
    gone = ask(link)
    Command.objects.filter(pk=gone.pk).update(not_before=now - timedelta(hours=2), expires_at=now - timedelta(hours=1))
    ingestion.holds(link)
    work(redis)
    assert ingestion.sent() == [] and state(gone)[0] == "expired" and state(later)[0] == "queued"
    Command.objects.filter(pk=later.pk).update(not_before=now)
    work(redis)
    assert ingestion.sent() == [str(later.pk)]
    with pytest.raises(ValidationError):
        ask(link, expires_at=now - timedelta(hours=1))


def test_an_answer_after_the_timeout_is_still_the_answer(link: OrganizationDevice, redis: Redis) -> None:
    command, ingestion = ask(link), Ingestion(redis)
    ingestion.holds(link)
    work(redis)
    Command.objects.update(sent_at=timezone.now() - timedelta(minutes=2))
    work(redis)
    assert state(command)[0] == "timeout"
    ingestion.says(command, "delivered")
    work(redis)
    assert state(command)[0] == "timeout"
    ingestion.says(command, "responded", "late")
    work(redis)
    assert state(command) == ("responded", "late") and len(ingestion.sent()) == 1


def test_answers_to_nothing_are_put_aside(redis: Redis) -> None:
    for fields in ({"id": "x", "status": "responded"}, {"id": str(uuid4()), "status": "responded"}, {"a": "b"}):
        redis.xadd(RESPONSES, fields)  # type: ignore[arg-type]
    redis.xadd(RESPONSES, {"id": str(uuid4()), "status": "expired"})
    work(redis)
    assert redis.xlen(f"{RESPONSES}:dlq") == 4


def test_a_crash_between_redis_and_the_commit_does_not_send_twice(link: OrganizationDevice, redis: Redis) -> None:
    command, ingestion = ask(link), Ingestion(redis)
    ingestion.holds(link)
    work(redis)
    Command.objects.update(sent_at=None, instance="")  # the commit that never came
    moved = Ingestion(redis, "i-2")
    moved.holds(link)
    work(redis)
    command.refresh_from_db()
    assert (ingestion.sent(), moved.sent(), command.instance) == ([str(command.pk)], [], "i-1")


def test_two_dispatchers_one_of_them_killed_send_each_command_once(link: OrganizationDevice, redis: Redis) -> None:
    ingestion = Ingestion(redis)
    ingestion.holds(link)
    user = member(link)
    commands = [send(user, Order(link.organization, "getinfo"), link.device) for _ in range(150)]
    environment = {**os.environ, "DATABASE_URL": _url(), "METRICS_PORT": "0"}
    children = [
        subprocess.Popen(
            [sys.executable, "manage.py", "run_commands"], cwd=ROOT, env={**environment, "INSTANCE_ID": name}
        )
        for name in ("d-1", "d-2")
    ]
    try:
        _until(lambda: len(ingestion.sent()) > 0)
        children[0].send_signal(signal.SIGKILL)
        _until(lambda: len(ingestion.sent()) >= 150)
        for command in commands:
            ingestion.says(command, "responded", "ok")
        _until(lambda: Command.objects.filter(state="responded").count() == 150)
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert sorted(ingestion.sent()) == sorted(str(command.pk) for command in commands)


def test_a_program_sends_over_rest(link: OrganizationDevice) -> None:
    client = Client()
    client.force_login(member(link), backend="django.contrib.auth.backends.ModelBackend")
    body = {"organization": str(link.organization.pk), "text": "getinfo"}
    made = client.post("/api/v1/commands", body | {"device": str(link.device.pk)}, "application/json")
    assert made.status_code == 201 and made.json()["state"] == "queued"
    group = client.post("/api/v1/commands/group", body | {"devices": [str(link.device.pk)]}, "application/json")
    assert group.status_code == 200 and len(group.json()["commands"]) == 1
    refused = client.post("/api/v1/commands", body | {"device": str(link.device.pk), "text": "x"}, "application/json")
    assert refused.status_code == 422
    client.force_login(UserFactory.create(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/api/v1/commands", body | {"device": str(link.device.pk)}, "application/json").status_code in (
        403,
        404,
    )


def _url() -> str:
    has = connection.settings_dict
    return f"postgres://{has['USER']}:{has['PASSWORD']}@{has['HOST']}:{has['PORT']}/{has['NAME']}"


def _until(holds: Any, seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
