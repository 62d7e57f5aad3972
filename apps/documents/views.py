"""The doors of the documents: a file of one, and what there is of an event."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from apps.accounts.policy import may_view_event
from apps.documents.contents import contents
from apps.documents.kinds import KINDS, Reader
from apps.documents.paper import Paper
from apps.documents.pdf import pdf
from apps.documents.spreadsheet import spreadsheet
from apps.events.models import Event

FORMS = {"pdf": (pdf, "application/pdf", "inline"), "csv": (spreadsheet, "text/csv; charset=utf-8", "attachment")}


@require_safe
def file(request: HttpRequest, kind: str, id: UUID, form: str) -> HttpResponse:
    """A document as PDF or CSV, in the language of the request or of `?lang=`.

    404 as well for what the reader may not have: that it is there is not told.
    """
    reader, row = _reader(request), KINDS[kind].find(id) if kind in KINDS else None
    if row is None or not KINDS[kind].allowed(reader, row):
        raise Http404
    with translation.override(_language(request)):
        paper = KINDS[kind].paper(reader, row)
        write, content_type, disposition = FORMS[form]
        response = HttpResponse(write(paper), content_type=content_type)
    response["Content-Disposition"] = f'{disposition}; filename="{_name(paper)}.{form}"'
    response["Content-Language"] = _language(request)
    response["Cache-Control"] = "private, no-cache"
    return response


@require_safe
def event(request: HttpRequest, id: UUID) -> HttpResponse:
    """What documents there are of an event; officials also read what is missing, and why."""
    row = Event.objects.select_related("organization").filter(pk=id).first()
    if row is None or not may_view_event(request.user, row):
        raise Http404
    with translation.override(_language(request)):
        context: dict[str, Any] = admin.site.each_context(request) if request.user.is_staff else {}
        context |= {"event": row, "title": row.name, "contents": contents(_reader(request), row)}
        context |= {"languages": settings.LANGUAGES, "language": _language(request)}
        return render(request, "documents/event.html", context)


def _reader(request: HttpRequest) -> Reader:
    return Reader(request.user, timezone.now())


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("lang", "")
    return asked if asked in dict(settings.LANGUAGES) else translation.get_language() or settings.LANGUAGE_CODE


def _name(paper: Paper) -> str:
    revision = f"r{paper.revision}" if paper.revision else ""
    return slugify("-".join(part for part in (paper.head.event, paper.stage, paper.kind, revision) if part))
