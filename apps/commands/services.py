"""Sending commands: refused unless the policy and the model's allow-list say yes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import Organization, User
from apps.accounts.policy import require
from apps.accounts.rights import rights_of
from apps.catalog.models import Device, OrganizationDevice
from apps.commands.models import LIFE, Command, CommandState, CommandText


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be said to devices of an organization, and when; without times at once, for an hour."""

    organization: Organization
    text: str
    not_before: datetime | None = None
    expires_at: datetime | None = None


WITHDRAWN = "withdrawn"


def send(user: User, order: Order, device: Device) -> Command:
    """One command. Raises PermissionDenied, and ValidationError for a text or device that is not allowed."""
    return send_all(user, order, [device])[0]


def send_all(user: User, order: Order, devices: Sequence[Device]) -> list[Command]:
    """The same command to many devices: to all of them or, where one is refused, to none.

    They are sent by `manage.py run_commands`, each once.
    """
    begins = order.not_before or timezone.now()
    ends = order.expires_at or begins + LIFE
    if ends <= begins or ends <= timezone.now():
        raise ValidationError({"expires_at": _("It would expire before it could be sent.")})
    batch = uuid4() if len(devices) > 1 else None
    with transaction.atomic():
        _refuse(user, order, devices)
        return [_write(user, order, device, batch, (begins, ends)) for device in devices]


def check(user: User, order: Order, devices: Sequence[Device]) -> None:
    """What `send_all` would refuse, without sending. Raises PermissionDenied, ValidationError."""
    _refuse(user, order, devices)


def withdraw(user: User, organization: Organization, commands: Sequence[UUID]) -> int:
    """Let those that were not handed over yet expire now; how many. Raises PermissionDenied."""
    require(user, "send_command", organization)
    waiting = Command.objects.filter(
        organization=organization, pk__in=commands, state=CommandState.QUEUED, sent_at=None
    )
    with transaction.atomic():
        held = [row.pk for row in waiting.select_for_update()]
        now = timezone.now()
        return Command.objects.filter(pk__in=held).update(
            state=CommandState.EXPIRED, settled_at=now, updated_at=now, response=WITHDRAWN
        )


def _refuse(user: User, order: Order, devices: Sequence[Device]) -> None:
    require(user, "send_command", order.organization)
    theirs = OrganizationDevice.objects.filter(organization=order.organization, device__in=devices)
    held = set(theirs.values_list("device_id", flat=True))
    for device in devices:
        if device.pk not in held:
            raise ValidationError({"device": _("%(device)s is not of this organization.") % {"device": device}})
        if not _allowed(user, order, device):
            text = _("%(text)s may not be sent to a %(model)s by you.")
            raise ValidationError({"text": text % {"text": order.text, "model": device.model}})


def _allowed(user: User, order: Order, device: Device) -> bool:
    rights = rights_of(user)
    role = rights.roles.get(order.organization.pk, "")
    texts = CommandText.objects.filter(device_model=device.model_id)
    mine = [one for one in texts if rights.superuser or role in one.roles]
    return any(re.fullmatch(one.pattern, order.text) for one in mine)


def _write(user: User, order: Order, device: Device, batch: UUID | None, times: tuple[datetime, datetime]) -> Command:
    return Command.objects.create(
        organization=order.organization, device=device, text=order.text, author=user, batch=batch,
        not_before=times[0], expires_at=times[1],
    )  # fmt: skip
