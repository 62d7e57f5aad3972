"""Saying something to trackers: the form, and what will happen in words before it does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.models import User
from apps.accounts.rights import rights_of
from apps.commands.models import CommandText
from apps.commands.services import Order
from apps.desk.decision_form import ClockField
from apps.desk.domain.numbers import read_numbers
from apps.events.models import EntryDevice, Event
from apps.scoring.inputs import milliseconds

EVERYBODY = "*"
NAMED = 12
WHICH: list[tuple[str, Any]] = [
    ("first", gettext_lazy("The first tracker of each")),
    ("all", gettext_lazy("Every tracker")),
    ("worn", gettext_lazy("Those worn by a person")),
]


class CommandForm(forms.Form):
    """To whom, what, and when. Valid, it knows the `order` and the `trackers` it goes to."""

    numbers = forms.CharField(
        label=gettext_lazy("Race numbers"), max_length=500, help_text=gettext_lazy("301, 305-310; * = every entry.")
    )
    which = forms.ChoiceField(label=gettext_lazy("Trackers"), choices=WHICH, initial="first")
    text = forms.CharField(
        label=gettext_lazy("Command"),
        max_length=500,
        widget=forms.TextInput({"list": "command-texts", "autocomplete": "off", "spellcheck": "false"}),
    )
    at = ClockField(
        label=gettext_lazy("Not before"), required=False, max_length=20, help_text=gettext_lazy("Empty = at once.")
    )
    minutes = forms.IntegerField(
        label=gettext_lazy("Give up after, min"), initial=60, min_value=1, max_value=1440,
        help_text=gettext_lazy("A tracker without a line is waited for so long."),
    )  # fmt: skip

    def __init__(self, event: Event, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.event = event
        at = self.fields["at"]
        assert isinstance(at, ClockField)
        at.around = milliseconds(timezone.now())

    def clean_numbers(self) -> list[int] | None:
        """The race numbers; None = every entry."""
        text = self.cleaned_data["numbers"]
        try:
            return None if text.strip() == EVERYBODY else read_numbers(text)
        except ValueError as error:
            raise ValidationError(_("%(text)s is no race number; type 301, 305-310.") % {"text": error}) from error

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            data["trackers"] = self._trackers(data["numbers"], data["which"])
        return data

    def _trackers(self, numbers: Sequence[int] | None, which: str) -> list[EntryDevice]:
        rows = carried(self.event)
        if which == "worn":
            rows = [row for row in rows if row.assigned_user_id]
        elif which == "first":
            rows = list({row.entry_id: row for row in reversed(rows)}.values())[::-1]
        missing = sorted(set(numbers or ()) - {row.entry.race_number for row in rows})
        if missing:
            named = ", ".join(map(str, missing[:NAMED])) + ("…" if len(missing) > NAMED else "")
            raise ValidationError(_("No such tracker in this event: %(numbers)s.") % {"numbers": named})
        chosen = [row for row in rows if numbers is None or row.entry.race_number in numbers]
        if not chosen:
            raise ValidationError(_("The event has no such tracker."))
        return chosen

    @property
    def trackers(self) -> list[EntryDevice]:
        """By race number; of each entry the first comes first."""
        chosen: list[EntryDevice] = self.cleaned_data["trackers"]
        return chosen

    def order(self) -> Order:
        at = self.cleaned_data["at"]
        begins = datetime.fromtimestamp(at / 1000, UTC) if at else timezone.now()
        ends = begins + timedelta(minutes=self.cleaned_data["minutes"])
        return Order(self.event.organization, self.cleaned_data["text"], begins if at else None, ends)

    def sentence(self) -> str:
        """What will happen, in words."""
        order, count = self.order(), len(self.trackers)
        names = [f"{row.entry.race_number} ({row.device.model})" for row in self.trackers]
        whom = ", ".join(names[:NAMED]) + ("…" if count > NAMED else "")
        told = ngettext(
            "“%(text)s” goes to %(count)d tracker: %(whom)s.", "“%(text)s” goes to %(count)d trackers: %(whom)s.", count
        ) % {"text": order.text, "count": count, "whom": whom}
        end = timezone.localtime(order.expires_at).strftime("%H:%M")
        if order.not_before is None:
            return f"{told} " + _("At once; what has not been sent by %(end)s is given up.") % {"end": end}
        begin = timezone.localtime(order.not_before).strftime("%H:%M")
        return f"{told} " + _("From %(begin)s; what has not been sent by %(end)s is given up.") % {
            "begin": begin,
            "end": end,
        }


def carried(event: Event) -> list[EntryDevice]:
    """The trackers of an event's entries now, by race number and priority."""
    now = timezone.now()
    rows = EntryDevice.objects.filter(Q(assigned_until=None) | Q(assigned_until__gt=now), entry__event=event)
    return list(rows.select_related("entry", "device__model").order_by("entry__race_number", "priority", "id"))


@dataclass(frozen=True, slots=True)
class Allowed:
    """A command that may be sent, and to which models; `literal` when it is no pattern."""

    text: str
    description: str
    models: str

    @property
    def literal(self) -> bool:
        return re.escape(self.text) == self.text.replace(" ", "\\ ")


def allowed(user: User, event: Event) -> list[Allowed]:
    """What this official may say to the models that are carried in the event."""
    models = {row.device.model_id for row in carried(event)}
    rights = rights_of(user)
    role = rights.roles.get(event.organization_id, "")
    found: dict[tuple[str, str], list[str]] = {}
    for row in CommandText.objects.filter(device_model__in=models).select_related("device_model"):
        if rights.superuser or role in row.roles:
            found.setdefault((row.pattern, row.explained), []).append(row.device_model.name)
    return [Allowed(text, told, ", ".join(sorted(names))) for (text, told), names in sorted(found.items())]
