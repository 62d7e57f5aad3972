"""The map editor of a stage's course, and its proof by a recorded track."""

import json
import tempfile
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from apps.common import csp
from apps.common.gpx import GpxError, read_points
from apps.common.said import of_error
from apps.course.models import GeofenceKind, Segment, SpeedLimitZone, Waypoint, WaypointType
from apps.desk.course import Saved, StaleError, UsedError, save, shapes
from apps.desk.place import Place
from apps.desk.reconnaissance import prove
from apps.live.basemap import basemap_path

MOST_BYTES = 20 * 2**20


def show(place: Place) -> HttpResponse:
    """The editor; without the right to change the course it only shows."""
    place.require("view", "geofences")
    stage = place.the_stage()
    data = {
        "shapes": shapes(place),
        "segments": [[str(one.pk), str(one), one.type] for one in Segment.objects.filter(stage=stage)],
        "waypointTypes": WaypointType.values,
        "fenceKinds": [[str(value), str(label)] for value, label in GeofenceKind.choices if value != "gate"],
        "save": place.link("course_save"),
        "track": place.link("course_track"),
        "may": _may(place),
    }
    context = {"data": data, "words": _words(), "basemap": basemap_path() is not None, "may_edit": any(_may(place))}
    page = place.show("course", context, title=_("Course"), page="course")
    page.headers["Content-Security-Policy"] = f"{csp.MAP}; style-src 'self' 'unsafe-inline'"
    return page


def write(place: Place) -> HttpResponse:
    """One shape as JSON. 200 with the shape as saved; 409 stale or to be confirmed; 400 with reasons by field."""
    if place.request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        body = json.loads(place.request.body)
        saved = Saved(dict(body["shape"]), str(body.get("reason", "")), body.get("sure") is True)
        return JsonResponse({"shape": save(place, saved)})
    except (ValueError, TypeError, KeyError) as error:
        return _refused(error)
    except ValidationError as error:
        return JsonResponse({"errors": _by_field(error)}, status=400)
    except PermissionDenied as error:
        return JsonResponse({"errors": {"": str(error)}}, status=403)


def track(place: Place) -> HttpResponse:
    """A GPX file proved against the stage: its line, and what was found, as the page shows it."""
    if place.request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    place.require("view", "geofences")
    upload = place.request.FILES.get("track")
    if upload is None or upload.size is None or upload.size > MOST_BYTES:
        return JsonResponse({"errors": {"track": _("Choose a GPX file of at most 20 MB.")}}, status=400)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "track.gpx"
            path.write_bytes(upload.read())
            proof = prove(place.the_stage(), read_points(path))
    except (GpxError, ValueError) as error:
        return JsonResponse({"errors": {"track": f"{upload.name}: {of_error(error, _)}"}}, status=400)
    shown = render_to_string("desk/_track.html", {"proof": proof, "name": upload.name, "found": proof.found})
    return JsonResponse({"line": proof.line, "html": shown})


def _refused(error: Exception) -> HttpResponse:
    if isinstance(error, UsedError):
        return JsonResponse({"confirm": str(error)}, status=409)
    if isinstance(error, StaleError):
        return JsonResponse({"errors": {"": str(error)}}, status=409)
    return JsonResponse({"errors": {"": _("That is no shape.")}}, status=400)


def _by_field(error: ValidationError) -> dict[str, str]:
    if hasattr(error, "error_dict"):
        return {("" if name == "__all__" else name): " ".join(texts) for name, texts in error.message_dict.items()}
    return {"": " ".join(error.messages)}


def _may(place: Place) -> list[bool]:
    return [place.may("change", table._meta.db_table) for table in (Waypoint, SpeedLimitZone)]


def _words() -> dict[str, Any]:
    """What the editor says, in the official's language."""
    return {
        "waypoint": _("Waypoint"),
        "gate": _("Gate"),
        "area": _("Area"),
        "zone": _("Speed zone"),
        "drawPoint": _("Click where it is."),
        "drawLine": _("Click its two ends."),
        "drawArea": _("Click the corners; click the first again, or press Enter, to close it. Esc gives up."),
        "name": _("Name"),
        "type": _("Type"),
        "segment": _("Segment"),
        "radius": _("Radius that validates, m"),
        "opening": _("Radius that opens, m"),
        "order": _("Order on the road"),
        "bearing": _("Direction it counts in, °"),
        "limit": _("Limit, km/h"),
        "tolerance": _("Tolerance, km/h"),
        "coordinates": _("Latitude, longitude: a corner a line"),
        "reason": _("Why"),
        "save": _("Save"),
        "cancel": _("Cancel"),
        "saved": _("Saved."),
        "unsaved": _("It is not saved yet. Leave it?"),
        "noCoordinates": _("Line {n} is no latitude, longitude."),
        "form": _("All its settings"),
        "history": _("Its history, and undo"),
        "help": _("Drag a corner to move it, a small dot to add one; double-click a corner to take it away."),
        "helpPoint": _("Drag the point to move it, the ring's handle to change the radius."),
        "pair": _("It runs from its DZ to its FZ: move those waypoints."),
        "failed": _("It could not be sent. Nothing is saved; try again."),
        "controls": {},
    }
