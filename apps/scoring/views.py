"""The page on which a penalty is explained."""

from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.accounts.policy import may
from apps.penalties.models import EntryPenalty
from apps.scoring.penalty_page import penalty_page


@require_safe
@never_cache
def penalty(request: HttpRequest, identity: UUID) -> HttpResponse:
    """A penalty with its evidence; where there is none for this visitor: the login, or 404 once logged in."""
    rows = EntryPenalty.objects.select_related(
        "entry__race_class", "entry__vehicle", "stage__event__organization", "author", "decision"
    )
    row = rows.filter(pk=identity).first()
    if row is not None and may(request.user, "view", row):
        desk = may(request.user, "view", "timing_records", event=row.stage.event)
        return render(request, "scoring/penalty.html", {"page": penalty_page(row, request.user), "desk": desk})
    if request.user.is_authenticated:
        raise Http404
    return redirect_to_login(request.get_full_path(), reverse("admin:login"))
