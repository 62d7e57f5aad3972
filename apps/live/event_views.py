"""The other pages of an event: map, replay, big screen, race control, and the widgets that others embed."""

import re
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import User
from apps.accounts.policy import may
from apps.common import csp
from apps.events.models import Entry
from apps.live import alarms, protocol
from apps.live.basemap import basemap_path
from apps.live.models import Acknowledgement
from apps.live.pages import Visit, classes_of, frame, visit
from apps.live.reels import chosen_reel, reels
from apps.live.replay import parts, replayable
from apps.live.stage_times import stage_times
from apps.live.views import Tab, board_context
from apps.live.words import control_words, map_words, replay_words
from apps.scoring.board import event_topic
from apps.scoring.released import released_board, view

UUID = re.compile(protocol.UUID)
LONGEST_INSTANT = 15  # digits


@require_safe
def map_page(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """Where the crews are. `?class=` and `?follow=<race number>` are read by the page itself."""
    seen = visit(request.user, organization, slug)
    return _drawn(render(request, "live/map.html", _map_context(seen, "map")), csp.MAP)


@require_safe
def replay_page(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """A stage again, or one after the other those of a leg (`?leg=`) or all (`?stage=all`); else the last one over."""
    seen = visit(request.user, organization, slug)
    found = reels(replayable(seen))
    chosen = chosen_reel(request.GET, found)
    context = _map_context(seen, "replay") | {
        "tabs": [Tab(reel.name, reel.query, reel is chosen) for reel in found],
        "parts": parts(seen, chosen.stages) if chosen else [],
    }
    return _drawn(render(request, "live/replay.html", context | {"words": replay_words()}), csp.MAP)


@require_safe
def screen(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """The board in large type, page after page: `?stage=`, `?class=`, `?seconds=` a page."""
    seen = visit(request.user, organization, slug)
    return render(request, "live/screen.html", board_context(request, seen))


@require_safe
@ensure_csrf_cookie
def control(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """Race control: whom to look after. For officials; to others there is no such page."""
    seen = visit(request.user, organization, slug)
    if not seen.audience.official:
        raise Http404
    context = frame(seen, "control") | {
        "crews": _crews(seen),
        "words": control_words(),
        "map": seen.link("map"),
        "acknowledge": seen.link("acknowledge") if may(request.user, "add", Acknowledgement, event=seen.event) else "",
    }
    return render(request, "live/control.html", context)


@require_POST
def acknowledge(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """Who asks has seen the alarm `alarm` (epoch ms) of the entry `entry`. 403 to anyone who is no official."""
    seen = visit(request.user, organization, slug)
    entry, alarm = request.POST.get("entry", ""), request.POST.get("alarm", "")
    if not (UUID.fullmatch(entry) and alarm.isascii() and alarm.isdecimal() and len(alarm) <= LONGEST_INSTANT):
        return HttpResponse("entry: an id; alarm: epoch ms", status=400)
    alarms.acknowledge(cast(User, request.user), get_object_or_404(Entry, id=entry, event=seen.event), int(alarm))
    return HttpResponse(status=204)


@require_safe
@xframe_options_exempt
def embedded_board(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """The board for other sites' pages: what the public sees, whoever looks."""
    seen = visit(AnonymousUser(), organization, slug)
    page = render(request, "live/embedded_board.html", board_context(request, seen))
    return _drawn(page, csp.framed(csp.STRICT, settings.LIVE_EMBED_ORIGINS))


@require_safe
@xframe_options_exempt
def embedded_map(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """The map for other sites' pages: what the public sees, whoever looks."""
    seen = visit(AnonymousUser(), organization, slug)
    page = render(request, "live/embedded_map.html", _map_context(seen, "map"))
    return _drawn(page, csp.framed(csp.MAP, settings.LIVE_EMBED_ORIGINS))


def _drawn(page: HttpResponse, policy: str) -> HttpResponse:
    page.headers["Content-Security-Policy"] = policy
    return page


def _map_context(seen: Visit, current: str) -> dict[str, Any]:
    return frame(seen, current) | {
        "topic": f"event:{seen.event.id}",
        "now_on": _now_on(seen),
        "classes": classes_of(seen.event),
        "crews": _crews(seen),
        "basemap": basemap_path() is not None,
        "words": map_words(),
    }


def _now_on(seen: Visit) -> str:
    """The id of the stage to look at: the one that runs, else the last that began."""
    begun = [one for one in stage_times(seen.event, seen.audience) if one.open]
    running = [one for one in begun if not one.over]
    return str((running or begun)[-1].stage.id) if begun else ""


def _crews(seen: Visit) -> list[dict[str, Any]]:
    """Who they are, by race number; course cars after the competitors' board, without a crew."""
    lines = released_board(view(event_topic(str(seen.event.id)), seen.audience))[1]
    keys = ("entryId", "raceNumber", "crew", "vehicle", "classCode")
    found = [{key: line[key] for key in keys} for line in lines]
    others = Entry.objects.filter(event=seen.event, competing=False).values_list(
        "id", "race_number", "race_class__code"
    )
    found += [dict(zip(keys, (str(id), number, "", "", code), strict=True)) for id, number, code in others]
    return sorted(found, key=lambda crew: crew["raceNumber"])
