"""Comments on a row: what officials tell each other about it. Written once, in the audit log, never edited."""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from apps.accounts import policy
from apps.accounts.models import Comment, User
from apps.accounts.places import place_of
from apps.accounts.rights import rights_of


def comments_of(user: User, row: Model) -> QuerySet[Comment]:
    """The comments on a row that are for this user, oldest first."""
    rows = Comment.objects.filter(table=row._meta.db_table, row=str(row.pk)).select_related("author")
    return policy.visible(user, rows, public=False)


def comment(user: User, row: Model, text: str) -> Comment:
    """Write a comment on a row the user may see. Raises PermissionDenied or ValidationError."""
    place = place_of(row)
    homes = policy.organizations_where(user, "add", Comment)
    owners = homes if place is None or place.organizations is None else homes & place.organizations
    if not owners or not policy.may(user, "view", row):
        raise PermissionDenied(_("You may not comment on this."))
    home = next(one for one in rights_of(user).roles if one in owners)
    made = Comment(
        organization_id=home,
        author=user,
        table=row._meta.db_table,
        row=str(row.pk),
        text=text.replace("\r", "").strip(),
    )
    made.full_clean()
    made.save()
    return made


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
