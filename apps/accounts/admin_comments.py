"""Comments on the pages of the admin."""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from apps.accounts import policy
from apps.accounts.comments import comment, comments_of
from apps.accounts.models import Comment, User


class Commented:
    """Comments on the change pages of the admin."""

    opts: Any
    admin_site: Any
    change_form_template: ClassVar[Any] = "admin/views/change_form.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.comment_view)
        own = path("<path:object_id>/comment/", view, name=f"{self.opts.app_label}_{self.opts.model_name}_comment")
        return [own, *super().get_urls()]  # type: ignore[misc]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row, user = kwargs.get("obj"), request.user
        if row is not None and isinstance(user, User):
            context |= {"comments": comments_of(user, row), "comment_url": comment_url(row)}
            context["may_comment"] = policy.holds(user, "add", Comment)
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return answer

    def comment_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A POST writes `text`, and goes back to `next`."""
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is None or request.method != "POST" or not isinstance(request.user, User):
            raise Http404
        try:
            comment(request.user, row, request.POST.get("text", ""))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        back = request.POST.get("next", "")
        safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
        return redirect(back if safe else f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


def comment_url(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_comment", args=[row.pk])
