"""The safety desk: who may need help, worst first, with who looks after it; and closing a stage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.policy import fields
from apps.course.models import Stage
from apps.desk.place import Place
from apps.events.models import Entry, EntryCrew
from apps.safety import closing, services
from apps.safety.models import Accounting, Alert, AlertLine, StageClosing
from apps.scoring.inputs import milliseconds

LOG_SHOWN = 6
CLOSED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Member:
    """Of a crew; `phone` only for those who may read it."""

    name: str
    role: str
    phone: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert with its crew and the end of its log."""

    alert: Alert
    crew: Sequence[Member]
    lines: Sequence[AlertLine]
    map: str


def show(place: Place) -> HttpResponse:
    """A POST acts on one alert, or on the stage."""
    place.require("view", "alerts")
    if place.request.method == "POST":
        try:
            messages.success(place.request, _done(place))
            return redirect(place.link("safety"))
        except ValidationError as error:
            for text in error.messages:
                messages.error(place.request, text)
            return redirect(place.link("safety"))
    return _page(place)


def _page(place: Place) -> HttpResponse:
    rows = Alert.objects.filter(event=place.event).select_related("entry", "stage", "owner", "acknowledged_by")
    opened = list(rows.filter(closed_at=None).order_by("-severity", "raised_at"))
    stage = place.stage
    context = {
        "shown": _shown(place, opened),
        "closed": rows.filter(closed_at__isnull=False).order_by("-closed_at")[:CLOSED_SHOWN],
        "waiting": sum(alert.acknowledged_at is None for alert in opened),
        "may_act": place.may("change", "alerts"),
        "may_close": place.may("close_stage"),
        "may_account": place.may("add", "entry_accountings"),
        "closing": StageClosing.objects.filter(stage=stage, reopened_at=None).select_related("author").first(),
        "hindrances": closing.sentences(stage) if stage else [],
        "accounted": Accounting.objects.filter(stage=stage, withdrawn_at=None).select_related("entry", "author"),
        "now": milliseconds(timezone.now()),
    }
    return place.show("safety", context, title=_("Safety"), page="safety")


def _shown(place: Place, alerts: Sequence[Alert]) -> list[Shown]:
    crews, logs = _crews(place, {alert.entry_id for alert in alerts}), _logs(alerts)
    at = reverse("live:map", args=[place.event.organization.slug, place.event.slug])
    return [
        Shown(
            one, crews.get(one.entry_id, []), logs.get(one.pk, [])[-LOG_SHOWN:], f"{at}?follow={one.entry.race_number}"
        )
        for one in alerts
    ]


def _crews(place: Place, entries: set[UUID]) -> dict[UUID, list[Member]]:
    found: dict[UUID, list[Member]] = {}
    for link in EntryCrew.objects.filter(entry__in=entries).select_related("user").order_by("created_at"):
        phone = link.user.phone if "phone" in fields(place.user, User, event=place.event) else ""
        found.setdefault(link.entry_id, []).append(Member(str(link.user), link.get_role_display(), phone))
    return found


def _logs(alerts: Sequence[Alert]) -> dict[UUID, list[AlertLine]]:
    found: dict[UUID, list[AlertLine]] = {}
    for line in AlertLine.objects.filter(alert__in=alerts).select_related("author"):
        found.setdefault(line.alert_id, []).append(line)
    return found


def _done(place: Place) -> str:
    """Do what the form asks; what to say of it. Raises ValidationError, PermissionDenied."""
    act = place.request.POST.get("act", "")
    if act in ALERT_ACTS:
        row = get_object_or_404(Alert, pk=_uuid(place, "alert"), event=place.event)
        done = ALERT_ACTS[act](place.user, row, place.request.POST.get("text", ""))
        return _("%(alert)s: %(act)s") % {"alert": done, "act": done.lines.last().get_act_display()}
    if act in STAGE_ACTS:
        return STAGE_ACTS[act](place, place.the_stage())
    raise ValidationError(_("Choose what to do."))


def _take(user: User, alert: Alert, text: str) -> Alert:
    return services.hand_over(user, alert, user, text)


ALERT_ACTS: dict[str, Callable[[User, Alert, str], Any]] = {
    "acknowledge": services.acknowledge,
    "take": _take,
    "escalate": services.escalate,
    "note": services.note,
    "close": services.close,
    "put_back": services.put_back,
    "stand_down": services.stand_down,
    "reopen": services.reopen,
}


def _close_stage(place: Place, stage: Stage) -> str:
    closing.close_stage(place.user, stage, place.request.POST.get("text", ""))
    return _("%(stage)s is closed.") % {"stage": stage}


def _reopen_stage(place: Place, stage: Stage) -> str:
    closing.reopen_stage(place.user, stage, place.request.POST.get("text", ""))
    return _("%(stage)s is open again.") % {"stage": stage}


def _account_for(place: Place, stage: Stage) -> str:
    number = place.request.POST.get("number", "")
    entry = Entry.objects.filter(event=place.event, race_number=number).first() if number.isdecimal() else None
    if entry is None:
        raise ValidationError(_("There is no race number %(number)s.") % {"number": number})
    closing.account_for(place.user, stage, entry, place.request.POST.get("text", ""))
    return _("%(entry)s is accounted for.") % {"entry": entry}


def _withdraw(place: Place, stage: Stage) -> str:
    row = get_object_or_404(Accounting, pk=_uuid(place, "accounting"), stage=stage)
    closing.withdraw_accounting(place.user, row, place.request.POST.get("text", ""))
    return _("%(entry)s is looked for again.") % {"entry": row.entry}


STAGE_ACTS: dict[str, Callable[[Place, Stage], str]] = {
    "close_stage": _close_stage,
    "reopen_stage": _reopen_stage,
    "account_for": _account_for,
    "withdraw_accounting": _withdraw,
}


def _uuid(place: Place, name: str) -> UUID:
    try:
        return UUID(place.request.POST.get(name, ""))
    except ValueError as error:
        raise ValidationError(_("That is gone: load the page again.")) from error
