"""Why: one field on every page of the admin that writes, kept by the audit with each change the page makes."""

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from apps.accounts import policy
from apps.common.audit import because, last_line

REASON = "change_reason"
WHERE = "admin/views"


class SaysWhy:
    """The forms, the list with its edits and actions, and both pages that delete."""

    reason_required = False  # whether a change must say why
    delete_confirmation_template: ClassVar[Any] = f"{WHERE}/delete_confirmation.html"
    delete_selected_confirmation_template: ClassVar[Any] = f"{WHERE}/delete_selected_confirmation.html"

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with because(reason(request)):
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if self._lacks_reason(request, "_save", "post"):
            return self._ask(request)
        told = {**(extra_context or {}), "reason_required": self.reason_required}
        with because(reason(request)):
            return super().changelist_view(request, told)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        if self._lacks_reason(request, "post"):
            return self._ask(request)
        told = {**(extra_context or {}), "reason_required": self.reason_required}
        with because(reason(request)):
            return super().delete_view(request, object_id, told)  # type: ignore[misc]

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> Any:
        answer = super().response_delete(request, obj_display, obj_id)  # type: ignore[misc]
        if isinstance(answer, HttpResponseRedirect):
            tell_way_back(request, _("The audit log keeps what it was."), last_line())
        return answer

    def _lacks_reason(self, request: HttpRequest, *writing: str) -> bool:
        return self.reason_required and any(name in request.POST for name in writing) and not reason(request)

    def _ask(self, request: HttpRequest) -> HttpResponse:
        messages.error(request, _("Say why: it is kept with the change in the audit log. Nothing was changed."))
        return HttpResponseRedirect(request.get_full_path())


def reason(request: HttpRequest) -> str:
    return request.POST.get(REASON, "").strip()


def tell_way_back(request: HttpRequest, done: str, line: int | None) -> None:
    """A message that something was done; with a link, for whoever may, to the page that takes all of it back."""
    if line is None or not policy.holds(request.user, "revert", "audit_log"):
        messages.success(request, done)
        return
    address = reverse("admin:audit_auditentry_together", args=[line])
    messages.success(request, format_html('{} <a href="{}">{}</a>', done, address, _("Take it back…")))
