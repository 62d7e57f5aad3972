"""Commands on their way: handed to the ingestion instance that holds the device's socket, and their answers.

The contract with the ingestion is docs/commands.md.

    connections:registry (hash)       IMEI → instance, written by the ingestion
    instance:heartbeat:<instance>     there while the instance lives
    commands:outbound:<instance>      id, imei, text, expires_at (epoch ms); `id` is the command's
    commands:sent:<id>                the instance it was handed to; expires with the command
    commands:responses                id, status (delivered, responded, failed, nack), response
        group commands                read here

A command is handed over once: its row is locked by one dispatcher, and marker and entry are written in one act of
Redis, so that a dispatcher that dies between Redis and the commit does not send it again. Should Redis lose the
marker, the same `id` may come twice: an instance drops an id it has seen. Any number of dispatchers may run.
"""

import time
from datetime import timedelta
from uuid import UUID

import redis
import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.commands import metrics
from apps.commands.models import Command, CommandState
from apps.common.stream import Group, Message

log = structlog.get_logger(__name__)

REGISTRY = "connections:registry"
RESPONSES = "commands:responses"
GROUP = "commands"
AT_ONCE = 100
ANSWER_WITHIN = timedelta(seconds=60)
CLAIM_EVERY_S = 10.0
LONGEST_ANSWER = 10_000
TOLD = {CommandState.DELIVERED, CommandState.RESPONDED, CommandState.FAILED, CommandState.NACK}
UNSETTLED = {CommandState.QUEUED, CommandState.DELIVERED, CommandState.TIMEOUT}  # an answer may come late

HAND_OVER = """
    local held = redis.call('get', KEYS[1])
    if held then return held end
    redis.call('set', KEYS[1], ARGV[1], 'PXAT', ARGV[2])
    redis.call('xadd', KEYS[2], 'MAXLEN', '~', 100000, '*', unpack(ARGV, 3))
    return ARGV[1]
"""


class Dispatcher:
    """One consumer of the group `commands`, and one of those who hand commands over."""

    def __init__(self, client: redis.Redis, consumer: str, block_ms: int) -> None:
        self._client = client
        self._group = Group(client, RESPONSES, GROUP, consumer)
        self._block_ms = min(block_ms, 500)
        self._claim_at = 0.0

    def prepare(self) -> None:
        self._group.ensure()
        self._claim_at = 0.0

    def step(self) -> bool:
        """Hand over what is due, give up what is late, take answers; True when there was any work."""
        sent, late = self._hand_over(), give_up()
        messages = self._claimed() or self._group.read(AT_ONCE, 1 if sent else self._block_ms)
        for message in messages:
            self._take(message)
        return bool(sent or late or messages)

    def run_until_idle(self) -> None:
        """For tests."""
        self.prepare()
        while self.step():
            pass

    def finish(self) -> None:
        self._group.leave()

    def _hand_over(self) -> int:
        now = timezone.now()
        due = Command.objects.filter(
            state=CommandState.QUEUED, sent_at=None, not_before__lte=now, expires_at__gt=now
        ).order_by("not_before", "created_at")
        with transaction.atomic():
            rows = due.select_related("device").select_for_update(of=("self",), skip_locked=True)[:AT_ONCE]
            return sum([self._give(command) for command in rows])

    def _give(self, command: Command) -> bool:
        """To the instance that holds the device now; a device nobody holds is waited for until the command expires."""
        instance = self._instance(command.device.imei)
        if not instance:
            return False
        expires = int(command.expires_at.timestamp() * 1000)
        fields = ("id", str(command.pk), "imei", command.device.imei, "text", command.text, "expires_at", str(expires))
        keys = (f"commands:sent:{command.pk}", f"commands:outbound:{instance}")
        held = self._client.eval(HAND_OVER, 2, *keys, instance, str(expires), *fields)
        command.instance = held.decode() if isinstance(held, bytes) else instance
        command.sent_at = timezone.now()
        command.save(update_fields=["instance", "sent_at", "updated_at"])
        metrics.SENT.inc()
        return True

    def _instance(self, imei: str) -> str:
        found: bytes | None = self._client.hget(REGISTRY, imei)  # type: ignore[assignment]
        name = found.decode() if found else ""
        return name if name and self._client.exists(f"instance:heartbeat:{name}") else ""

    def _claimed(self) -> list[Message]:
        if time.monotonic() < self._claim_at:
            return []
        self._claim_at = time.monotonic() + CLAIM_EVERY_S
        return self._group.claim_idle(int(CLAIM_EVERY_S * 1000), AT_ONCE)

    def _take(self, message: Message) -> None:
        """Record an answer, then acknowledge it. One that belongs to nothing is put aside."""
        error = settle(message)
        if error:
            log.error("dead letter", stream=RESPONSES, id=message.id.decode(), error=error)
            self._group.dead_letter(message, error)
        else:
            self._group.ack([message.id])


def settle(message: Message) -> str:
    """Write what an answer says; why it could not be, or "". After the last word nothing changes any more."""
    text = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in message.fields.items()}
    try:
        key, state = UUID(text.get("id", "")), CommandState(text.get("status", ""))
    except ValueError as error:
        return str(error)
    if state not in TOLD:
        return f"status: {state} is not for an ingestion to say"
    with transaction.atomic():
        command = Command.objects.select_for_update().filter(pk=key).first()
        if command is None:
            return f"id: there is no command {key}"
        if command.state in UNSETTLED and not (state == CommandState.DELIVERED and command.state != "queued"):
            _settle(command, state, text.get("response", ""))
    return ""


def give_up() -> int:
    """Expire what could not be handed over in time, time out what was and is not answered; how many."""
    now = timezone.now()
    waiting = Command.objects.filter(state__in=[CommandState.QUEUED, CommandState.DELIVERED])
    unsent = Q(sent_at=None, expires_at__lte=now)
    with transaction.atomic():
        late = waiting.filter(unsent | Q(sent_at__lte=now - ANSWER_WITHIN)).select_for_update(skip_locked=True)
        found = list(late[:AT_ONCE])
        for command in found:
            _settle(command, CommandState.TIMEOUT if command.sent_at else CommandState.EXPIRED, "")
    return len(found)


def _settle(command: Command, state: CommandState, response: str) -> None:
    command.state = state
    command.response = response.replace("\x00", "")[:LONGEST_ANSWER] or command.response
    command.settled_at = None if state == CommandState.DELIVERED else timezone.now()
    command.save(update_fields=["state", "response", "settled_at", "updated_at"])
    metrics.STATES.labels(state.value).inc()
