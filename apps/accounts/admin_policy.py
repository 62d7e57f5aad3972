"""The admin's door to the policy: base classes for every ModelAdmin and inline of TRM.

They answer who may view, add, change and delete, show only rows of the user's organizations, hide fields and
columns the user may not read, offer only references the user may see, and refuse a form that would write
elsewhere. Who edits what another has saved meanwhile is told (`admin_conflict`). A subclass may refuse more; what
it grants itself is a hole.
"""

from contextlib import nullcontext
from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.contrib.admin.filters import RelatedFieldListFilter
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.forms import CharField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts import policy
from apps.accounts.admin_comments import Commented
from apps.accounts.admin_conflict import SEEN, SeeingFormSet, SeesConflicts
from apps.accounts.admin_reason import REASON, SaysWhy
from apps.accounts.admin_views import SavedViews
from apps.accounts.models import User
from apps.accounts.policy_rules import words
from apps.accounts.policy_table import GUARDED, SCOPES, SECRET
from apps.accounts.rights import AnyUser, rights_of

EXTRA = frozenset({SEEN, REASON})  # fields of a form that are none of the model's

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)


def person(request: HttpRequest) -> AnyUser:
    """Whom the policy is to be asked about."""
    return request.user if isinstance(request.user, User) else AnonymousUser()


class Guard(SeesConflicts):
    """Refuses what its user may not write: as form errors, so that nothing typed is lost."""

    policy_user: AnyUser
    change_reason = CharField(
        label=_("Why"), required=False, max_length=500, help_text=_("Kept with the change in the audit log.")
    )

    def _post_clean(self) -> None:
        super()._post_clean()  # it fills the instance
        if not self.errors:
            for name, text in refusals(self.policy_user, self.instance).items():
                self.add_error(name if name in self.fields else None, ValidationError(text, code="policy"))


REFUSED = {
    "add": _("You may not add this: it belongs to another organization, or not to your role."),
    "change": _("You may not change this: it belongs to another organization, or not to your role."),
}


def refusals(user: AnyUser, row: Model) -> dict[str, str]:
    """Why `user` may not write a row as it is now: field → sentence, "" for the row itself; empty if they may."""
    action = "add" if row._state.adding else "change"
    if not policy.may(user, action, row):
        return {"": str(REFUSED[action])}
    return policy.strays(user, row)


def guarded(form: Any, user: AnyUser) -> Any:
    return type(form.__name__, (Guard, form), {"policy_user": user})


class VisibleFilter(RelatedFieldListFilter):
    """Offers the related rows a user may see, and not the names of everybody's."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        rows = field.related_model._default_manager.all()
        return [(row.pk, str(row)) for row in policy.visible(person(request), rows, public=False)]


class _Rows:
    """What an admin and an inline share."""

    model: Any

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return policy.visible(person(request), super().get_queryset(request), public=False)  # type: ignore[misc]

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> Any:
        """What a foreign key may be set to."""
        rows = super().get_field_queryset(db, db_field, request)  # type: ignore[misc]
        target = db_field.remote_field.model
        if target._meta.db_table not in SCOPES:
            return rows
        return policy.visible(person(request), target._default_manager.all() if rows is None else rows, public=False)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A row is deleted on its own page, not from beside a field that names it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if hasattr(field, "widget") and hasattr(field.widget, "can_delete_related"):
            field.widget.can_delete_related = False
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        hidden = self._hidden(request, obj) | EXTRA
        given = super().get_fieldsets(request, obj)  # type: ignore[misc]
        kept = [(name, {**options, "fields": _without(options["fields"], hidden)}) for name, options in given]
        return [(name, options) for name, options in kept if options["fields"]] + self._extra(request, obj)

    def _extra(self, request: HttpRequest, obj: Any) -> list[Any]:
        """The fieldset for `EXTRA`, where there is something to write."""
        return []

    def _hidden(self, request: HttpRequest, obj: Any) -> frozenset[str]:
        """Of the model's fields, those that are not to be read, or, on a form to add one, not to be set."""
        user = person(request)
        if rights_of(user).superuser:
            return frozenset()
        table = self.model._meta.db_table
        never = words(GUARDED, table) | words(SECRET, table)
        if obj is None:
            return never
        target = obj if isinstance(obj, self.model) else self.model
        every = {field.name for field in (*self.model._meta.concrete_fields, *self.model._meta.many_to_many)}
        return frozenset(every - policy.fields(user, target, inside=obj)) | never


class PolicyAdmin(_Rows, Commented, SaysWhy, SavedViews, admin.ModelAdmin[M]):
    """Base of every ModelAdmin of a business table."""

    object_history_template = "admin/audit/row_history.html"  # of the app above that keeps the log
    when_empty: ClassVar[Any] = ""  # what to do, or to wait for, while the table has no row

    def has_module_permission(self, request: HttpRequest) -> bool:
        return policy.holds(person(request), "view", self.model)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return policy.holds(person(request), "add", self.model)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "delete", obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        named = flatten_fieldsets(self.get_fieldsets(request, obj)) if "fields" not in kwargs else kwargs["fields"]
        kwargs["fields"] = named and [name for name in named if name not in EXTRA]
        form = guarded(super().get_form(request, obj, change=change, **kwargs), person(request))
        form.base_fields[REASON].required = self.reason_required and change
        return form

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Locked while it is written, so that two who save at once see each other."""
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not connection.in_atomic_block:
            return found
        self.model._base_manager.select_for_update(of=("self",)).filter(pk=found.pk).exists()
        return super().get_object(request, object_id, from_field)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic() if "_save" in request.POST else nullcontext():
            return super().changelist_view(request, *args, **kwargs)

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_formset(request, **{"formset": SeeingFormSet, **kwargs})

    def _get_list_editable_queryset(self, request: HttpRequest, prefix: str) -> QuerySet[Any]:
        rows = super()._get_list_editable_queryset(request, prefix)
        keys = list(rows.values_list("pk", flat=True))
        list(self.model._base_manager.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk").values("pk"))
        locked: QuerySet[Any] = rows
        return locked

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return guarded(super().get_changelist_form(request, **kwargs), person(request))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The net below the form: raises PermissionDenied."""
        policy.require(person(request), "change" if change else "add", obj)
        super().save_model(request, obj, form, change)

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._readable(request, super().get_list_display(request)) or ("__str__",)

    def get_search_fields(self, request: HttpRequest) -> Any:
        return self._readable(request, super().get_search_fields(request))

    def get_list_filter(self, request: HttpRequest) -> Any:
        given = self._readable(request, super().get_list_filter(request))
        return [(name, VisibleFilter) if _is_relation(self.model, name) else name for name in given]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """What may be asked for in the address: a filter on a hidden field would tell it letter by letter."""
        return self._reads(request, lookup) and super().lookup_allowed(lookup, value, request)

    def _extra(self, request: HttpRequest, obj: Any) -> list[Any]:
        written = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        own = any(field.name == "reason" for field in self.model._meta.concrete_fields)
        names = [*([] if own else [REASON]), *([SEEN] if obj is not None else [])]
        return [(None, {"fields": names})] if written and names else []

    def _may(self, request: HttpRequest, action: str, obj: Any) -> bool:
        user = person(request)
        return policy.holds(user, action, self.model) if obj is None else policy.may(user, action, obj)

    def _readable(self, request: HttpRequest, names: Any) -> list[Any]:
        """Of columns, search fields or filters; a filter may come with its class, a column as a function."""
        paths = [(name[0] if isinstance(name, tuple) else name, name) for name in names]
        return [name for path, name in paths if not isinstance(path, str) or self._reads(request, path)]

    def _reads(self, request: HttpRequest, path: str) -> bool:
        end = _end_of(self.model, path)
        known = end is not None and end[0]._meta.db_table in SCOPES
        return end is None or not known or end[1] in policy.fields(person(request), end[0])


class PolicyInline(_Rows, admin.TabularInline[M, P]):
    """Base of every inline: its rows follow what they hang on."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view", obj)

    def has_add_permission(self, request: HttpRequest, obj: Any) -> bool:  # type: ignore[override]
        return self._may(request, "add", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "delete", obj)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{"form": guarded(self.form, person(request)), **kwargs})

    def _extra(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [(None, {"fields": [SEEN]})] if self.has_change_permission(request, obj) else []

    def _may(self, request: HttpRequest, action: str, parent: Any) -> bool:
        user = person(request)
        if parent is None:
            return policy.holds(user, action, self.model)
        return policy.may(user, action, self.model, inside=parent)


def _end_of(model: type[Model], path: str) -> tuple[type[Model], str] | None:
    """The model and field a lookup ends at; None for what is no field: a method, or `__str__`."""
    end = None
    for name in path.lstrip("=^@").split("__"):
        try:
            field = model._meta.get_field("id" if name == "pk" else name)
        except FieldDoesNotExist:
            break
        end = (model, field.name) if field.concrete else end
        if field.related_model is None or isinstance(field.related_model, str):
            break
        model = field.related_model
    return end


def _is_relation(model: type[Model], path: Any) -> bool:
    end = _end_of(model, path) if isinstance(path, str) else None
    if end is None:
        return False
    target = end[0]._meta.get_field(end[1]).related_model
    return isinstance(target, type) and target._meta.db_table in SCOPES


def _without(names: Any, hidden: frozenset[str]) -> list[Any]:
    """Fields of a fieldset, where several may stand on one line in a tuple."""
    lines = [name if isinstance(name, str) else tuple(_without(name, hidden)) for name in names]
    return [line for line in lines if line and line not in hidden]
