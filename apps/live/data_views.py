"""What the pages' modules fetch: the course, what opens under a line, tracks of a stage, trails."""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from apps.live.course_map import course
from apps.live.details import details
from apps.live.pages import chosen_stage, stages_of, visit
from apps.live.replay import replay, replayable
from apps.live.trails import trails


@require_safe
@gzip_page
def course_json(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """The course as far as this visitor may know it, GeoJSON."""
    return _json(course(request.user, visit(request.user, organization, slug)))


@require_safe
@gzip_page
def details_json(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """Splits, penalties and the age of the data: `?stage=`, of the whole event without."""
    seen = visit(request.user, organization, slug)
    return _json(details(seen, chosen_stage(request, stages_of(seen.event))))


@require_safe
@gzip_page
def tracks_json(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """The tracks of a stage: 404 for one this visitor may not replay yet."""
    seen = visit(request.user, organization, slug)
    times = {one.stage.id: one for one in replayable(seen)}
    stage = chosen_stage(request, [one.stage for one in times.values()])
    return _json(replay(seen, times[stage.id])) if stage else HttpResponse(status=404)


@require_safe
@gzip_page
def trails_json(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """Everybody's way of the last minutes, as this visitor may see positions."""
    return _json(trails(visit(request.user, organization, slug)))


def _json(content: dict[str, Any]) -> HttpResponse:
    page = HttpResponse(orjson.dumps(content), content_type="application/json")
    page.headers["Cache-Control"] = "private, max-age=2"
    return page
