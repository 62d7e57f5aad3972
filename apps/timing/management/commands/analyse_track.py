"""Proves a course with a recorded track. Needs no database."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from apps.common.gpx import GpxError, GpxTrack, read_points
from apps.common.said import Said
from apps.course.domain.controls import Control
from apps.course.domain.fixes import Fixes
from apps.course.domain.geometry import geometry_control
from apps.course.domain.importing.features import Feature, number
from apps.course.domain.importing.findings import FILE, Findings
from apps.course.domain.importing.geojson import read_geojson
from apps.course.domain.shapes import prepare
from apps.timing.domain.analysis import Place, analyse


class Command(BaseCommand):
    help = "Shows every crossing, gap, time, missed waypoint and speed-zone interval of a recorded track."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("course", type=Path, help="GeoJSON FeatureCollection")
        parser.add_argument("track", type=Path, help="GPX file")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        places = read_places(options["course"])
        try:
            track = read_points(options["track"])
        except GpxError as error:
            raise CommandError(f"{options['track']}: {error}") from error
        found = analyse(places, fixes_of(track)) | {"without_time": track.without_time}
        self.stdout.write(json.dumps(found, indent=2) if options["json"] else as_text(found))


def read_places(path: Path) -> list[Place]:
    """The controls of a course file. Raises CommandError with every fault: file, feature, field, reason."""
    findings = Findings()
    try:
        features = read_geojson(path.read_bytes(), findings)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    names: set[str] = set()
    places = [place for n, f in enumerate(features, 1) for place in _place(n, f, names, findings)]
    if not features and not list(findings):
        findings.error(FILE, "features", Said("there are none"))
    if list(findings):
        raise CommandError("\n".join(f"{path}: {f.place}: {f.field}: {f.reason}" for f in findings))
    return places


def _place(position: int, feature: Feature, names: set[str], findings: Findings) -> list[Place]:
    """The feature as a control, or nothing when it cannot be one."""
    name = feature.name or f"feature {position}"
    if name in names:
        text = Said("%(given)s is taken: each control needs a name of its own", given=repr(name))
        findings.error(feature.place, "name", text)
        return []
    names.add(name)
    order, limit = number(feature, "order", findings), number(feature, "speed_limit_kmh", findings)
    try:
        control = _control(name, feature, findings)
    except ValueError as error:
        findings.error(feature.place, "geometry", error.args[0])
        return []
    if control is None:
        return []
    return [Place(control, feature.type.upper(), position if order is None else int(order), limit)]


def _control(name: str, feature: Feature, findings: Findings) -> Control | None:
    """Raises ValueError with the reason for a shape that cannot be."""
    if feature.shape == "Point":
        radius = number(feature, "radius_m", findings)
        if radius is None:
            findings.error(feature.place, "radius_m", Said("a waypoint needs its validation radius in metres"))
            return None
        lon, lat = _point(feature.geometry.get("coordinates"))
        return Control.circle(name, lat, lon, radius)
    control = geometry_control(name, feature.geometry, number(feature, "bearing", findings))
    prepare(control, control.points[0][1])
    return control


def _point(coordinates: object) -> tuple[float, float]:
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        raise ValueError(Said("a point is [longitude, latitude], not %(given)s", given=repr(coordinates)))
    if not all(isinstance(value, int | float) for value in coordinates[:2]):
        raise ValueError(Said("a point is two numbers, not %(given)s", given=repr(coordinates)))
    return coordinates[0], coordinates[1]


def fixes_of(track: GpxTrack) -> Fixes:
    points = track.points
    return Fixes.build(
        device=0,
        ts=[point.ts for point in points],
        lat=[point.lat for point in points],
        lon=[point.lon for point in points],
        speed=[np.nan if point.speed_kmh is None else point.speed_kmh for point in points],
    )


HEADINGS = {
    "crossings": "Crossings",
    "passages": "Passages (first crossing of each control)",
    "gaps": "Gaps: too long to interpolate, look at them",
    "suspicious": "Suspicious fixes: no vehicle jumps so",
    "segments": "Special stages",
    "missed": "Missed waypoints",
    "zones": "Speed zones",
}


def as_text(found: dict[str, Any]) -> str:
    """The same for people: a heading and a line each; what there is none of is said."""
    lines: list[str] = []
    for key, heading in HEADINGS.items():
        lines += ["", f"{heading}: {len(found[key]) or 'none'}", *(f"  {_line(row)}" for row in found[key])]
    lines.append(f"\nPoints without a time, left out: {found['without_time']}")
    return "\n".join(lines).lstrip()


def _line(row: dict[str, Any] | str) -> str:
    if isinstance(row, str):
        return row
    return "   ".join(f"{key} {_value(value)}" for key, value in row.items() if value not in (None, "", []))


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return ", ".join(value) if isinstance(value, list) else str(value)
