"""What a decision's parameters name, held against the course: a decision about nothing would never be followed."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _

from apps.course.models import Geofence, Segment, SpeedLimitZone, Stage, Waypoint

CONTROLS = ("control", "from_control", "to_control")


def stray_params(params: Mapping[str, Any], event: UUID, stage: Stage | None) -> Iterator[str]:
    """A sentence for every parameter that names no segment of the stage, or no control of the event."""
    if "segment" in params and params["segment"] not in _ids(Segment, stage=stage):
        yield _("segment: %(id)s is no segment of this stage.") % {"id": params["segment"]}
    wanted = {name: params[name] for name in CONTROLS if name in params}
    known = _controls(event) if wanted else frozenset()
    for name, control in wanted.items():
        if control not in known:
            yield _("%(name)s: %(id)s is no control of this event.") % {"name": name, "id": control}


def _controls(event: UUID) -> frozenset[str]:
    of_segments = {"segment__stage__event": event}
    return _ids(Geofence, event=event) | _ids(Waypoint, **of_segments) | _ids(SpeedLimitZone, **of_segments)


def _ids(model: type[models.Model], **where: object) -> frozenset[str]:
    return frozenset(map(str, model._default_manager.filter(**where).values_list("pk", flat=True)))
