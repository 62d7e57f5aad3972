"""Dead letters in the admin: seen, replayed and dropped without a shell, and without JavaScript."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import redis
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common import letters, stream
from apps.common.letters import Act, Letter, Ref
from apps.telemetry import dead_letters
from apps.telemetry.dead_letters import Filter, LetterError, Order, Outcome, printable
from apps.telemetry.models import REPLAY_DEAD_LETTERS, DeadLetter

PAGE_SIZE = 50
LOOK_AT = 5_000  # letters a request reads for one page
COUNT_TO = 10_000  # letters a request counts through a filter
NAME = "telemetry_deadletter"

View = Callable[..., HttpResponse]


class FilterForm(forms.Form):
    """What to show; the same names in the address and in hidden fields."""

    q = forms.CharField(label=gettext_lazy("Error contains"), required=False)
    device = forms.CharField(label=gettext_lazy("Device"), required=False)
    stream = forms.ChoiceField(label=gettext_lazy("Stream"), required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        names = [(name, name) for name in dead_letters.all_streams()]
        self.fields["stream"] = forms.ChoiceField(
            label=gettext_lazy("Stream"), required=False, choices=[("", gettext_lazy("all")), *names]
        )

    def filter(self) -> Filter:
        """Raises Http404 for a stream there is not, or text that is none."""
        if not self.is_valid():
            raise Http404(str(self.errors))
        values = self.cleaned_data
        return Filter(dead_letters.streams_of(values["stream"]), values["q"], values["device"])


@dataclass(frozen=True, slots=True)
class Row:
    """A letter as a page shows it: every text safe to print."""

    key: str
    stream: str
    failed: datetime | None
    failed_at: str
    device: str
    error: str
    deliveries: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person is about to do: to these letters, or, without any, to all the filter lets through."""

    act: Act
    chosen: list[Letter]
    which: Filter
    reason: str

    @property
    def drops(self) -> bool:
        return self.act is Act.DROP

    def carry_out(self, client: redis.Redis, by: str) -> Outcome:
        order = Order(self.act, by, self.reason)
        if self.chosen:
            return dead_letters.settle(client, self.chosen, order)
        return dead_letters.settle_all(client, self.which, order)


@admin.register(DeadLetter)
class DeadLetterAdmin(admin.ModelAdmin[DeadLetter]):
    """The list, one letter, and the acts. One permission opens all of it."""

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm(REPLAY_DEAD_LETTERS))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        """Only pages of our own: those of a model would ask for a table."""
        return [
            self._path("", self.list_view, "changelist"),
            self._path("act/", self.act_view, "act"),
            self._path("letter/<path:key>/", self.letter_view, "letter"),
        ]

    def list_view(self, request: HttpRequest, client: redis.Redis) -> HttpResponse:
        """A page of letters, newest first."""
        form = FilterForm(request.GET)
        which, before = form.filter(), request.GET.get("before", "")
        page = dead_letters.page(client, which, _ref(before) if before else None, PAGE_SIZE, LOOK_AT)
        older = request.GET.copy()
        older["before"] = _key(page.after) if page.after else ""
        context: dict[str, Any] = {
            "rows": [_row(letter) for letter in page.letters],
            "total": letters.count(client, which.streams),
            "older": older.urlencode() if page.after else "",
            "looked_at": LOOK_AT if page.after and len(page.letters) < PAGE_SIZE else 0,
            "filtered": not which.is_open or len(which.streams) == 1,
            "before": before,
        }
        return self._answer(request, "list", form=form, title=_("Dead letters"), **context)

    def letter_view(self, request: HttpRequest, client: redis.Redis, key: str) -> HttpResponse:
        """All of one letter."""
        found = letters.look_up(client, [_ref(key)])
        if not found:
            raise Http404(_("This dead letter is gone: replayed, or dropped."))
        [letter] = found
        fields = [(printable(name), printable(value)) for name, value in letter.original.items()]
        context: dict[str, Any] = {
            "origin_id": printable(letter.added(b"origin_id")),
            "payload": dead_letters.pretty(letter),
        }
        title = _("Dead letter %(id)s") % {"id": letter.ref.id}
        return self._answer(request, "letter", row=_row(letter), fields=fields, title=title, **context)

    def act_view(self, request: HttpRequest, client: redis.Redis) -> HttpResponse:
        """First says what would happen; does it when that comes back confirmed."""
        if request.method != "POST":
            return HttpResponseRedirect(self._list())
        data = request.POST
        plan = _plan(client, data)
        if plan is None:
            messages.warning(request, _("Nothing was chosen, or what was chosen is gone."))
        elif "confirmed" not in data or (plan.drops and not plan.reason):
            return self._ask(request, client, plan)
        else:
            self._carry_out(request, client, plan)
        return HttpResponseRedirect(self._list())

    def _ask(self, request: HttpRequest, client: redis.Redis, plan: Plan) -> HttpResponse:
        seen = letters.now_ms(client)
        count = len(plan.chosen) or dead_letters.count(client, replace(plan.which, until_ms=0), COUNT_TO)
        context: dict[str, Any] = {
            "plan": plan,
            "rows": [_row(letter) for letter in plan.chosen],
            "count": count,
            "at_least": not plan.chosen and not replace(plan.which, until_ms=0).is_open and count == COUNT_TO,
            "until": seen,
            "data": request.POST,
            "reason_missing": "confirmed" in request.POST,
        }
        return self._answer(request, "confirm", title=_("Are you sure?"), **context)

    def _carry_out(self, request: HttpRequest, client: redis.Redis, plan: Plan) -> None:
        try:
            outcome = plan.carry_out(client, request.user.get_username())
        except LetterError as error:
            messages.error(request, str(error))
            return
        messages.success(request, _done(plan, outcome.done))
        if outcome.bare:
            text = _("%(count)d were left: they hold no field that could be sent again. Drop them.")
            messages.warning(request, text % {"count": outcome.bare})

    def _path(self, route: str, view: View, name: str) -> URLPattern:
        return path(route, self.admin_site.admin_view(self._guarded(view)), name=f"{NAME}_{name}")

    def _guarded(self, view: View) -> View:
        """For those with the permission; and a page that says so when Redis is away, instead of a fault."""

        def guarded(request: HttpRequest, **named: Any) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            try:
                with closing(stream.connect(settings.REDIS_URL)) as client:
                    return view(request, client, **named)
            except redis.RedisError as error:
                return self._answer(request, "away", status=503, title=_("Dead letters"), error=printable(str(error)))

        return guarded

    def _answer(self, request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
        context |= self.admin_site.each_context(request) | {"opts": self.opts}
        return TemplateResponse(request, f"admin/telemetry/deadletter/{template}.html", context, status=status)

    def _list(self) -> str:
        return reverse(f"{self.admin_site.name}:{NAME}_changelist")


def _plan(client: redis.Redis, data: QueryDict) -> Plan | None:
    """What the buttons of a page ask for; None when that is nothing. Raises Http404 for what no page asks."""
    name, _dash, scope = data.get("act", "").partition("-")
    if name not in list(Act) or scope not in ("", "all"):
        raise Http404(_("No such act."))
    which = FilterForm(data).filter()
    reason = data.get("reason", "").strip()
    if scope:
        until = data.get("until", "0")
        return Plan(Act(name), [], replace(which, until_ms=int(until) if until.isdecimal() else 0), reason)
    asked = [_ref(key) for key in data.getlist("letter")]
    chosen = letters.look_up(client, asked) if asked else []
    # What was confirmed is done whole or not at all: somebody else may have taken one of them meanwhile.
    return Plan(Act(name), chosen, which, reason) if chosen and len(chosen) == len(set(asked)) else None


def _done(plan: Plan, count: int) -> str:
    if plan.drops:
        return ngettext("%(count)d dead letter dropped.", "%(count)d dead letters dropped.", count) % {"count": count}
    return ngettext("%(count)d record sent again.", "%(count)d records sent again.", count) % {"count": count}


def _key(ref: Ref) -> str:
    return f"{ref.id}@{ref.stream}"


def _ref(key: str) -> Ref:
    """Raises Http404 for what names no letter: no id, or a stream that is not looked after here."""
    id, _at, name = key.partition("@")
    try:
        if name in dead_letters.all_streams():
            return Ref.of(id, name)
    except ValueError:
        pass
    raise Http404(_("No such dead letter."))


def _row(letter: Letter) -> Row:
    texts = (letter.failed_at, letter.device, letter.error, letter.added(b"deliveries"))
    return Row(_key(letter.ref), letter.ref.stream, letter.failed, *map(printable, texts))
