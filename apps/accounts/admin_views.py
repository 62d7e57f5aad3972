"""Lists as officials arrange them: columns, filters over related fields, saved under a name, kept fresh.

Everything is in the address, so a view is an address with a name: `columns=a,b`, `refresh=1`, lookups as Django's
own, and `o` for the sort. The forms of the panel are plain GET forms; `changelist_view` makes that address of them.
"""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.accounts import policy
from apps.accounts.admin_filters import lookup_of, told
from apps.accounts.admin_paths import ASKED, field_at, is_lookup, readable_paths
from apps.accounts.models import Audience, Organization, Role, SavedView, User
from apps.accounts.policy_rules import RULES
from apps.accounts.rights import rights_of

OWN = frozenset({"columns", "refresh"})  # parameters that are no lookups
NOT_KEPT = frozenset({"p", "e", "_popup", "_to_field", "_changelist_filters"})


class ArrangedList(ChangeList):
    """A list whose address also says how it is arranged."""

    def get_filters_params(self, params: Any = None) -> Any:
        given = super().get_filters_params(params)
        return {name: value for name, value in given.items() if name not in OWN}


class SavedViews:
    """What every list of the admin can do; the policy says which fields there are."""

    model: Any
    opts: Any
    admin_site: Any
    list_editable: ClassVar[Any]
    change_list_template: ClassVar[Any] = "admin/views/change_list.html"

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_views"
        own = path("views/", self.admin_site.admin_view(self.views_view), name=name)
        return [own, *super().get_urls()]  # type: ignore[misc]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return ArrangedList

    def get_list_display(self, request: HttpRequest) -> Any:
        asked = [name for name in request.GET.get("columns", "").split(",") if name]
        given = super().get_list_display(request)  # type: ignore[misc]
        allowed = {*given, *readable_paths(_user(request), self.model, 1)} if asked else set()
        chosen = [name for name in dict.fromkeys(asked) if name in allowed]
        return [*chosen, *(name for name in self.list_editable if name not in chosen)] if chosen else given

    def get_list_select_related(self, request: HttpRequest) -> Any:
        given = super().get_list_select_related(request)  # type: ignore[misc]
        heads = {field.name for field in self.model._meta.concrete_fields if field.is_relation}
        names = [name.partition("__")[0] for name in self.get_list_display(request) if isinstance(name, str)]
        needed = [name for name in dict.fromkeys(names) if name in heads]
        return given if given is True or "columns" not in request.GET else tuple({*(given or ()), *needed})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """The filter builder's lookups, and Django's own."""
        if is_lookup(readable_paths(_user(request), self.model), lookup):
            return True
        return bool(super().lookup_allowed(lookup, value, request))  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if request.method == "GET" and {"field", "column"} & request.GET.keys():
            return redirect(f"{request.path}?{self._composed(request).urlencode()}")
        around = {
            "title": capfirst(str(self.opts.verbose_name_plural)),
            **self._panel(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, around)  # type: ignore[misc]

    def views_view(self, request: HttpRequest) -> HttpResponse:
        """Save the list as it is arranged, or forget a view: `act=forget`."""
        back = redirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
        if request.method != "POST":
            return back
        if request.POST.get("act") == "forget":
            return redirect(f"{back.url}?{self._forget(request)}")
        query = _kept(QueryDict(request.POST.get("query", ""))).urlencode()
        try:
            self._save(request, query)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        return redirect(f"{back.url}?{query}")

    def _composed(self, request: HttpRequest) -> QueryDict:
        """The address the panel's forms mean: one lookup more, or other columns."""
        asked = _kept(request.GET)
        columns, field = asked.pop("column", []), asked.pop("field", [""])[-1]
        operator, value = asked.pop("operator", [""])[-1], asked.pop("value", [""])[-1]
        if columns:
            asked["columns"] = ",".join(str(name) for name in columns)
            asked.pop("o", None)  # it counts columns
        if field:
            self._add_filter(request, asked, str(field), (str(operator), str(value)))
        return asked

    def _add_filter(self, request: HttpRequest, asked: QueryDict, path: str, wanted: tuple[str, str]) -> None:
        """Add a filter, (operator, value), to the address; or tell the official why it cannot be."""
        if path not in readable_paths(_user(request), self.model):
            return
        try:
            lookup, value = lookup_of(field_at(self.model, path), path, *wanted)
            asked[lookup] = value
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))

    def _panel(self, request: HttpRequest) -> dict[str, Any]:
        user, query = _user(request), _kept(request.GET)
        paths = readable_paths(user, self.model)
        return {
            "views": _views(user, self.opts.db_table),
            "view_query": query.urlencode(),
            "view_pairs": [(name, value) for name, values in query.lists() for value in values],
            "view_columns": self._columns(request),
            "view_paths": sorted(paths.items(), key=lambda pair: (pair[0].count("__"), pair[1])),
            "view_operators": ASKED.items(),
            "view_audiences": _audiences(user),
            "view_filters": list(_filters(query, paths)),
            "view_refresh": "refresh" in query,
            "view_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_views"),
        }

    def _columns(self, request: HttpRequest) -> list[tuple[str, str, bool]]:
        """Name, words, and whether it is shown: those shown first, in their order."""
        shown = [name for name in self.get_list_display(request) if isinstance(name, str)]
        own = [name for name in super().get_list_display(request) if isinstance(name, str)]  # type: ignore[misc]
        words = readable_paths(_user(request), self.model, 1)
        names = dict.fromkeys([*shown, *own, *words])
        return [(name, words.get(name) or self._label(name), name in shown) for name in names]

    def _label(self, name: str) -> str:
        return capfirst(str(label_for_field(name, self.model, self)))  # type: ignore[call-overload]

    def _save(self, request: HttpRequest, query: str) -> None:
        """Raises ValidationError."""
        user, (organization, _sep, role) = _user(request), request.POST.get("audience", "").partition(":")
        audience = Audience.ROLE if role else Audience.ALL if organization else Audience.ME
        home = _uuid(organization) if organization else _home(user)
        if home is None or (organization and home not in policy.organizations_where(user, "add", SavedView)):
            raise ValidationError(_("You may not save this view."))
        name = request.POST.get("name", "").strip()
        if not name:
            raise ValidationError(_("Give the view a name: nothing was saved."))
        given = {"author": user, "table": self.opts.db_table, "audience": audience, "role": role, "name": name}
        view = SavedView.objects.filter(**given, organization=home).first() or SavedView(**given, organization_id=home)
        told = _("The view “%(name)s” is saved.") if view._state.adding else _("The view “%(name)s” is saved anew.")
        view.query = query
        view.full_clean()
        view.save()
        messages.success(request, told % {"name": name})

    def _forget(self, request: HttpRequest) -> str:
        """The view's query: the list stays arranged so, and can be saved again."""
        view = get_object_or_404(SavedView, pk=_uuid(request.POST.get("view", "")))
        policy.require(_user(request), "delete", view)
        view.delete()
        done = _("The view “%(name)s” is forgotten. The list is still arranged so: save it again to have it back.")
        messages.success(request, done % {"name": view.name})
        return view.query


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _filters(query: QueryDict, paths: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The filters of an address in words, each with the address without it."""
    for name in query:
        if is_lookup(paths, str(name)):
            rest = query.copy()
            del rest[name]
            yield told(str(name), str(query[name]), paths), rest.urlencode()


def _kept(asked: QueryDict) -> QueryDict:
    """A copy of what the address says, without what is only of the moment."""
    copy = asked.copy()
    for name in NOT_KEPT:
        copy.pop(name, None)
    return copy


def _views(user: User, table: str) -> list[tuple[SavedView, bool]]:
    """The views of a list that are for this user, each with whether they may forget it."""
    mine = Q(author=user, audience=Audience.ME)
    for organization, role in rights_of(user).roles.items():
        mine |= Q(organization=organization) & (Q(audience=Audience.ALL) | Q(audience=Audience.ROLE, role=role))
    rows: QuerySet[SavedView] = SavedView.objects.filter(mine, table=table)
    theirs = policy.organizations_where(user, "delete", SavedView)
    return [(row, row.author_id == user.pk or row.organization_id in theirs) for row in rows]


def _audiences(user: User) -> Iterable[tuple[str, str]]:
    """For whom this user may save a view: (value of the form, words)."""
    yield "", _("only me")
    homes = Organization.objects.filter(pk__in=policy.organizations_where(user, "add", SavedView))
    for home in homes:
        yield str(home.pk), _("everybody of %(organization)s") % {"organization": home}
        yield from ((f"{home.pk}:{role}", f"{home}: {words}") for role, words in Role.choices)


def _home(user: User) -> UUID | None:
    """The organization in which the user keeps what is theirs alone."""
    keepers = RULES.of(SavedView._meta.db_table, "add")
    return next((one for one, role in rights_of(user).roles.items() if role in keepers), None)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ValidationError(_("That view is gone: load the page again.")) from error
