"""docs/commands.md says what goes over the streams, field by field; what is sent is held against it."""

import re
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from apps.catalog.models import OrganizationDevice
from apps.commands import dispatcher
from apps.commands.models import CommandState
from apps.commands.tests.test_commands import Ingestion, ask, state, work
from apps.commands.tests.test_commands import link as link
from apps.common import stream

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "commands.md").read_text()
pytestmark = pytest.mark.django_db(transaction=True)


def table(title: str) -> list[str]:
    """The names in the first column of the table under a heading that begins so."""
    _, _, section = DOCUMENT.partition(f"\n## {title}")
    assert section, title
    return re.findall(r"^\| `([^`]+)`", section.partition("\n## ")[0], re.MULTILINE)


def test_what_is_handed_over_has_the_fields_of_the_document(link: OrganizationDevice, redis: Redis) -> None:
    ingestion, command = Ingestion(redis), ask(link)
    ingestion.holds(link)
    work(redis)
    [message] = stream.entries(redis, "commands:outbound:i-1")
    fields = {name.decode(): value.decode() for name, value in message.fields.items()}
    assert list(fields) == table("TRM → ingestion")
    command.refresh_from_db()
    assert fields == {
        "id": str(command.pk), "imei": link.device.imei, "text": "getinfo",
        "expires_at": str(int(command.expires_at.timestamp() * 1000)),
    }  # fmt: skip


@pytest.mark.parametrize("status", ["delivered", "responded", "nack", "failed"])
def test_every_status_of_the_document_is_understood(link: OrganizationDevice, redis: Redis, status: str) -> None:
    assert table("Ingestion → TRM") == ["id", "status", "response"] and f"`{status}`:" in DOCUMENT
    ingestion, command = Ingestion(redis), ask(link)
    ingestion.holds(link)
    work(redis)
    bare: Any = {"id": str(command.pk), "status": status}  # `response` may be left out
    redis.xadd(dispatcher.RESPONSES, bare)
    work(redis)
    assert state(command)[0] == status
    assert not redis.exists(f"{dispatcher.RESPONSES}:dlq")


def test_the_document_names_every_state_and_key() -> None:
    assert set(table("States")) == set(CommandState.values)
    assert {"delivered", "responded", "failed", "nack"} == dispatcher.TOLD
    for name in (dispatcher.REGISTRY, dispatcher.RESPONSES, "commands:outbound:<instance>", "commands:sent:<id>"):
        assert f"`{name}`" in DOCUMENT
    assert f"{dispatcher.ANSWER_WITHIN.seconds} s" in DOCUMENT and f"{dispatcher.LONGEST_ANSWER:,}" in DOCUMENT
