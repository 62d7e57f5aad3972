"""The pages of the desk, each under `desk/<event>/`: (route, view, name)."""

from collections.abc import Callable

from django.http import HttpResponse

from apps.desk.pages import (
    commands,
    control,
    course,
    decisions,
    evidence,
    positions,
    results,
    review,
    safety,
    stage,
    starts,
    stopped,
    timing,
    trackers,
)
from apps.desk.pages import who as who

PAGES: tuple[tuple[str, Callable[..., HttpResponse], str], ...] = (
    ("", stage.show, "stage"),
    ("entry/<uuid:entry>/", evidence.entry, "entry"),
    ("crossing/<int:crossing>/", evidence.crossing, "crossing"),
    ("record/<uuid:record>/", evidence.record, "record"),
    ("trackers/", trackers.show, "trackers"),
    ("timing/", timing.show, "timing"),
    ("timing/write/", timing.write, "timing_write"),
    ("timing/undo/", timing.undo, "timing_undo"),
    ("review/", review.show, "review"),
    ("commands/", commands.show, "commands"),
    ("control/", control.show, "control"),
    ("control/stopped/<uuid:line>/", stopped.show, "stopped"),
    ("safety/", safety.show, "safety"),
    ("results/", results.show, "results"),
    ("starts/", starts.show, "starts"),
    ("positions/", positions.show, "positions"),
    ("course/", course.show, "course"),
    ("course/save/", course.write, "course_save"),
    ("course/track/", course.track, "course_track"),
    ("decisions/", decisions.show, "decisions"),
    ("decisions/<uuid:decision>/revoke/", decisions.take_back, "revoke"),
)
