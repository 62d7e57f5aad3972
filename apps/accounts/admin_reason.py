"""Why: one field on every page of the admin that writes, kept by the audit with each change the page makes."""

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from apps.common.audit import because

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

    def _lacks_reason(self, request: HttpRequest, *writing: str) -> bool:
        return self.reason_required and any(name in request.POST for name in writing) and not reason(request)

    def _ask(self, request: HttpRequest) -> HttpResponse:
        messages.error(request, _("Say why: it is kept with the change in the audit log. Nothing was changed."))
        return HttpResponseRedirect(request.get_full_path())


def reason(request: HttpRequest) -> str:
    return request.POST.get(REASON, "").strip()
