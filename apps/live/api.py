"""Where entries are and were, over REST: GeoJSON and GPX, as late as the audience may see it."""

import time
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from apps.accounts import policy
from apps.accounts.rights import AnyUser
from apps.common.position import instant
from apps.events.audience import Audience, audience_of
from apps.events.models import Event
from apps.live import bodies, queries
from apps.live.expectations import expected_ranks
from apps.live.models import Acknowledgement
from apps.rest import writing
from apps.rest.answers import answer
from apps.rest.examples import IDS
from apps.rest.views import AddOnlyResource
from apps.safety import api as safety_api
from apps.scoring import act_api
from apps.scoring.models import EventResult
from apps.scoring.released import running_entries

GEOJSON, GPX = "application/geo+json", "application/gpx+xml"
MOST_FIXES = 50_000
WINDOW = [
    OpenApiParameter("from", OpenApiTypes.INT64, description="Epoch ms, inclusive."),
    OpenApiParameter("to", OpenApiTypes.INT64, description="Epoch ms, inclusive."),
]
FORMAT = OpenApiParameter("format", str, enum=["geojson", "gpx"], description="Usually geojson.")
FEATURES: dict[str, Any] = {
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": {"type": "object"}},
    },
}


WHO = {"entry_id": IDS["entry"], "race_number": 301}
POINT: dict[str, Any] = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [19.82, 41.33]},
    "properties": {**WHO, "ts": 1_780_812_000_000, "speed": 64, "angle": 180},
}
TRACK: dict[str, Any] = {
    "type": "Feature",
    "geometry": {"type": "LineString", "coordinates": [[19.82, 41.33, 112.0], [19.83, 41.34, 115.5]]},
    "properties": {**WHO, "times": [1_780_812_000_000, 1_780_812_010_000]},
}


def _example(feature: dict[str, Any]) -> OpenApiExample:
    value = {"type": "FeatureCollection", "features": [feature]}
    return OpenApiExample("answer", value=value, response_only=True, media_type=GEOJSON)


class Events(act_api.Events):
    public = frozenset({"positions", "leaderboard", "expected"})

    @extend_schema(
        parameters=[FORMAT],
        responses={(200, GEOJSON): FEATURES, (200, GPX): OpenApiTypes.STR},
        examples=[_example(POINT)],
    )
    @action(detail=True, methods=["get"])
    def positions(self, request: Request, pk: str) -> HttpResponse:
        """Where everyone is: the latest fix of each tracker, as points."""
        event, form = self.row(pk), _format(request)
        policy.require(self.user, "view", "positions", event=event)
        audience, names = audience_of(self.user, event), policy.fields(self.user, "positions", event=event)
        horizons = {audience.delay_ms, 0} if audience.own else {audience.delay_ms}
        running = running_entries(str(event.pk)) if audience.own else frozenset[str]()
        found = [fix for delay in horizons for fix in _seen(str(event.pk), audience, delay, running)]
        if form == "gpx":
            return _gpx("".join(_wpt(fix) for fix in found))
        return _geojson([_point(fix, names) for fix in found])

    @extend_schema(responses={200: bodies.Expected})
    @action(detail=True, methods=["get"])
    def expected(self, request: Request, pk: str) -> HttpResponse:
        """The overall ranks crews inside a stage would have now, by their times at the last control; no results."""
        event = self.row(pk)
        return _expected(self.user, event, None)


class Stages(safety_api.Stages):
    public = frozenset({"leaderboard", "expected"})

    @extend_schema(responses={200: bodies.Expected})
    @action(detail=True, methods=["get"])
    def expected(self, request: Request, pk: str) -> HttpResponse:
        """The ranks crews inside the stage would have there now, by their times at the last control; no results."""
        stage = self.row(pk)
        return _expected(self.user, stage.event, str(stage.pk))


class Entries(act_api.Entries):
    public = frozenset({"track"})

    @extend_schema(
        parameters=[*WINDOW, FORMAT],
        responses={(200, GEOJSON): FEATURES, (200, GPX): OpenApiTypes.STR},
        examples=[_example(TRACK)],
    )
    @action(detail=True, methods=["get"])
    def track(self, request: Request, pk: str) -> HttpResponse:
        """Where the entry was: a line for each of its trackers, of the fixes that count."""
        entry = self.row(pk)
        policy.require(self.user, "view", "positions", event=entry.event)
        audience = audience_of(self.user, entry.event)
        running = running_entries(str(entry.event_id)) if audience.own else frozenset[str]()
        (low, high), form = _window(request), _format(request)
        lines: list[queries.Line] = []
        if audience.may_see(str(entry.pk), running):
            horizon = _now() - audience.delay_of(str(entry.pk))
            lines = queries.track(str(entry.pk), low, min(high, horizon), MOST_FIXES)
        if form == "gpx":
            return _gpx("".join(_trk(str(entry.race_number), line) for line in lines))
        known = "device_id" in policy.fields(self.user, "positions", event=entry.event)
        return _geojson([_line(line, entry, known) for line in lines])


def _expected(user: AnyUser, event: Event, stage: str | None) -> HttpResponse:
    policy.require(user, "view", EventResult, event=event)
    return answer({"results": expected_ranks(event, stage, audience_of(user, event))})


def _seen(event: str, audience: Audience, delay: int, running: frozenset[str]) -> Iterator[queries.LastFix]:
    """The fixes that are shown with this delay, and no other."""
    for fix in queries.last_fixes(event, _now() - delay):
        entry = fix.carried.entry
        if audience.delay_of(entry) == delay and audience.may_see(entry, running):
            yield fix


def _now() -> int:
    return time.time_ns() // 1_000_000


def _window(request: Request) -> tuple[int, int]:
    found, wrong = {"from": 0, "to": 253_402_300_799_999}, {}
    for name, most in (("from", 0), ("to", found["to"])):
        text = request.query_params.get(name, str(most))
        if text.isascii() and text.isdecimal() and int(text[:16]) <= found["to"] and len(text) <= 15:
            found[name] = int(text)
        else:
            wrong[name] = [_("Epoch milliseconds.")]
    if wrong:
        raise ValidationError(wrong)
    return found["from"], found["to"]


def _format(request: Request) -> str:
    found: str = request.query_params.get("format", "geojson")
    if found not in ("geojson", "gpx"):
        raise ValidationError({"format": [_("One of %(names)s.") % {"names": "geojson, gpx"}]})
    return found


def _geojson(features: list[dict[str, Any]]) -> HttpResponse:
    made = answer({"type": "FeatureCollection", "features": features})
    made.headers["Content-Type"] = GEOJSON
    return made


def _point(fix: queries.LastFix, names: frozenset[str]) -> dict[str, Any]:
    place, who = fix.position, fix.carried
    told = {
        "entry_id": who.entry,
        "race_number": who.race_number,
        "ts": place.ts,
        "speed": place.speed,
        "angle": place.angle,
        "device_id": who.imei,
    }
    geometry = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
    kept = {name: value for name, value in told.items() if name in names}
    return {"type": "Feature", "geometry": geometry, "properties": kept}


def _line(line: queries.Line, entry: Any, known: bool) -> dict[str, Any]:
    """A track; one fix alone is a point."""
    places = [[lon, lat, altitude] for _, lat, lon, altitude in line.fixes]
    geometry = (
        {"type": "LineString", "coordinates": places}
        if len(places) > 1
        else {"type": "Point", "coordinates": places[0]}
    )
    told = {"entry_id": entry.pk, "race_number": entry.race_number, "times": [ts for ts, *_ in line.fixes]}
    return {"type": "Feature", "geometry": geometry, "properties": told | ({"device_id": line.imei} if known else {})}


def _gpx(inside: str) -> HttpResponse:
    head = '<?xml version="1.0" encoding="UTF-8"?><gpx version="1.1" creator="TRM"'
    return HttpResponse(f'{head} xmlns="http://www.topografix.com/GPX/1/1">{inside}</gpx>', content_type=GPX)


def _wpt(fix: queries.LastFix) -> str:
    place = fix.position
    return (
        f'<wpt lat="{place.latitude:.7f}" lon="{place.longitude:.7f}"><time>{_time(place.ts)}</time>'
        f"<name>{fix.carried.race_number}</name></wpt>"
    )


def _trk(name: str, line: queries.Line) -> str:
    points = "".join(
        f'<trkpt lat="{lat:.7f}" lon="{lon:.7f}"><ele>{altitude:.1f}</ele><time>{_time(ts)}</time></trkpt>'
        for ts, lat, lon, altitude in line.fixes
    )
    return f"<trk><name>{escape(name)}</name><trkseg>{points}</trkseg></trk>"


def _time(ts: int) -> str:
    return instant(ts).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Acknowledgements(AddOnlyResource):
    """Who has seen an entry's alarm. A later alarm asks again."""

    model = Acknowledgement
    order = ("-alarm_ts",)
    expand = ("entry",)
    read_only = frozenset({"author"})

    def make(self, values: dict[str, Any]) -> Acknowledgement:
        row: Acknowledgement = super().make(values | {"author": writing.person(self.user)})
        return row


RESOURCES = {"events": Events, "stages": Stages, "entries": Entries, "acknowledgements": Acknowledgements}
