"""Start lists and repositionings in the admin. They live here because making a list needs results."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.admin_policy import PolicyAdmin, person
from apps.accounts.admin_reason import reason
from apps.accounts.models import User
from apps.accounts.policy import require
from apps.common.admin import ReadOnlyAdmin, document_links
from apps.common.said import of_error
from apps.scoring.start_lists import Republished, Where, open_stage, reposition, republish, revoke
from apps.timing.domain.start_order import StartOrderError
from apps.timing.models import StartList, StartListState, StartOverride


class ActForm(forms.ModelForm[Any]):
    """A form whose saving is an act of the service. The act is tried out first, so that a refusal is a form error."""

    author: User  # set by the admin for the request

    def act(self) -> Any:
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                with transaction.atomic():
                    self.act()
                    transaction.set_rollback(True)
            except StartOrderError as error:
                raise ValidationError(of_error(error, gettext)) from error
        return cleaned


class MoveForm(ActForm):
    class Meta:
        model = StartOverride
        fields = ("stage", "entry", "position", "after", "start_at", "reason")

    def act(self) -> StartOverride:
        data = self.cleaned_data
        where = Where(data.get("position"), data.get("after"), data.get("start_at"))
        return reposition(data["stage"], data["entry"], where, data["reason"], self.author)


class PublishForm(ActForm):
    class Meta:
        model = StartList
        fields = ("stage", "reason")

    def act(self) -> Republished:
        stage = self.cleaned_data["stage"]
        if StartList.objects.filter(stage=stage, state=StartListState.PUBLISHED).exists():
            return republish(stage, self.author, self.cleaned_data["reason"])
        return Republished(open_stage(stage, self.author), ())


class ActAdmin(ReadOnlyAdmin[Any], PolicyAdmin[Any]):
    """Rows are added by the service, and neither edited nor deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # type: ignore[override]
        return PolicyAdmin.has_add_permission(self, request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.author = request.user  # the class was made for this request
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The service has written it, in `save_form`."""


@admin.register(StartOverride)
class StartOverrideAdmin(ActAdmin):
    """The next start list published heeds it."""

    when_empty = _("Crews are moved at the desk, under Start list.")
    form = MoveForm
    list_display = ("stage", "entry", "position", "after", "start_at", "reason", "author", "revoked_at", "revoked_by")
    list_select_related = ("stage", "entry", "after", "author", "revoked_by")
    list_filter = ("stage__event", "stage", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("entry__race_number", "reason")
    autocomplete_fields = ("entry", "after")
    actions = ("revoke",)

    @admin.action(description=_("Revoke"), permissions=["add"])
    def revoke(self, request: HttpRequest, rows: QuerySet[StartOverride]) -> None:
        for row in rows:
            require(person(request), "change", row)
        try:
            with transaction.atomic():
                for row in rows:
                    revoke(row, request.user, reason(request))  # type: ignore[arg-type]
        except StartOrderError as error:
            messages.error(request, of_error(error, gettext))

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        super().save_form(request, form, change)
        return form.act()


@admin.register(StartList)
class StartListAdmin(ActAdmin):
    """Adding one opens the stage, or publishes its list again."""

    when_empty = _("Start lists are published at the desk, under Start list.")
    form = PublishForm
    list_display = ("stage", "version", "state", "published_at", "author", "reason", "hash", "documents")
    list_select_related = ("stage", "author")
    list_filter = ("stage__event", "stage", "state")
    search_fields = ("stage__name", "reason")

    @admin.display(description=_("documents"))
    def documents(self, row: StartList) -> SafeString:
        return document_links(row.pk, {"start-list": _("start list")})

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        super().save_form(request, form, change)
        done: Republished = form.act()
        count = len(done.moves)
        messages.info(
            request, _("Version %(version)d: %(count)d moved.") % {"version": done.list.version, "count": count}
        )
        return done.list
