"""Who may do what: the policy's own table in words, and the roles this user has."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import OrganizationUser, Role
from apps.accounts.policy_rules import RULES
from apps.accounts.policy_table import ANYONE

ACTIONS: dict[str, Any] = {
    "view": gettext_lazy("sees"),
    "add": gettext_lazy("adds"),
    "change": gettext_lazy("changes"),
    "delete": gettext_lazy("deletes"),
}
MARKS: dict[str, Any] = {
    "": "",
    "!": gettext_lazy("while the event is on"),
    "+": gettext_lazy("own"),
    "*": gettext_lazy("once published"),
    "~": gettext_lazy("once published, of public events"),
    "^": gettext_lazy("once the public is told"),
}
ACTS: dict[str, Any] = {
    "flag_faulty": gettext_lazy("Flag fixes as faulty"),
    "record_time": gettext_lazy("Enter times"),
    "note": gettext_lazy("Report incidents"),
    "decide": gettext_lazy("Decide"),
    "publish": gettext_lazy("Publish results"),
    "rescore": gettext_lazy("Score again"),
    "dry_run": gettext_lazy("Try out a change"),
    "open_stage": gettext_lazy("Open a stage, publish its start list"),
    "report_ready": gettext_lazy("Say go or no-go"),
    "hold_start": gettext_lazy("Hold and release starts"),
    "stop_stage": gettext_lazy("Stop a stage by the red signal, award its times"),
    "hear_protest": gettext_lazy("Take protests and say how they were heard"),
    "seed": gettext_lazy("Move crews on the start list"),
    "closing_times": gettext_lazy("Set when controls close"),
    "copy_crew": gettext_lazy("Copy crews from another event"),
    "import": gettext_lazy("Import"),
    "export": gettext_lazy("Export"),
    "revert": gettext_lazy("Take a change back"),
    "close_stage": gettext_lazy("Close a stage"),
    "send_command": gettext_lazy("Send commands to trackers"),
    "manage_members": gettext_lazy("Give roles"),
    "replay_dead_letters": gettext_lazy("Look after dead letters"),
}
# Kinds of rows that are no model's.
OTHERS: dict[str, Any] = {"dry_runs": gettext_lazy("trials of a change"), "positions": gettext_lazy("positions")}


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of rows, or an act, with what each role may, in the order of the roles."""

    name: Any
    cells: list[list[str]]


def show(request: HttpRequest) -> HttpResponse:
    """The policy as it is asked at every door."""
    roles = [*Role.values, ANYONE]
    labels = [*(str(label) for label in Role.labels), _("anyone")]
    mine = OrganizationUser.objects.filter(user=request.user.pk, suspended=False).select_related("organization")
    context = {
        **admin.site.each_context(request),
        "title": _("Who may do what"),
        "roles": labels,
        "acts": list(_acts(roles)),
        "resources": list(_resources(roles)),
        "mine": mine,
    }
    return TemplateResponse(request, "desk/who.html", context)


def _acts(roles: list[str]) -> Iterator[Row]:
    for act, rule in RULES.acts.items():
        cells = [[_told(_("yes"), rule[role])] if role in rule else [] for role in roles]
        yield Row(ACTS[act], cells)


def _resources(roles: list[str]) -> Iterator[Row]:
    """Every kind of rows anybody may touch, by what people call it."""
    names = OTHERS | {model._meta.db_table: model._meta.verbose_name_plural for model in apps.get_models()}
    for resource in dict.fromkeys(name for name, _action in RULES.resources):
        rules = {action: RULES.resources.get((resource, action), {}) for action in ACTIONS}
        cells = [[_told(str(ACTIONS[a]), rule[role]) for a, rule in rules.items() if role in rule] for role in roles]
        yield Row(str(names[resource]), cells)


def _told(what: str, mark: str) -> str:
    return f"{what} ({MARKS[mark]})" if mark else what
