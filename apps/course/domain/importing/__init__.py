"""Reading course files: GPX (OpenRally), KML and GeoJSON to one ImportedCourse and a list of findings."""

import re
import sys
from collections.abc import Callable

from apps.common.said import Said
from apps.course.domain.importing.assemble import assemble
from apps.course.domain.importing.course import ImportedCourse, ImportedFence, ImportedWaypoint, ImportedZone
from apps.course.domain.importing.features import Feature
from apps.course.domain.importing.findings import FILE, Finding, Findings, Severity, has_errors, line
from apps.course.domain.importing.geojson import read_geojson
from apps.course.domain.importing.gpx import read_gpx
from apps.course.domain.importing.kml import read_kml
from apps.course.domain.importing.xml import XmlFault

__all__ = [
    "FILE",
    "Finding",
    "ImportedCourse",
    "ImportedFence",
    "ImportedWaypoint",
    "ImportedZone",
    "Severity",
    "has_errors",
    "read_course",
]

GREATEST_BYTES = 32 * 1024 * 1024
_READERS: dict[str, Callable[[bytes, Findings], list[Feature]]] = {
    "gpx": read_gpx,
    "kml": read_kml,
    "geojson": read_geojson,
    "json": read_geojson,
}


def read_course(filename: str, data: bytes) -> tuple[ImportedCourse, list[Finding]]:
    """The course in a file, by the ending of its name, and all that is wrong with it.

    Never raises for what is in the file. With an error among the findings the course is incomplete.
    """
    findings = Findings()
    features = _features(filename, data, findings)
    course = assemble(features, findings)
    if not has_errors(findings):
        _check_content(course, findings)
    return course, sorted(findings, key=_number)


def _number(finding: Finding) -> int:
    """The line's or the feature's number: faults are told in the order of the file, those of all of it last."""
    digits = re.match(r"(?:line|feature) (\d+)", finding.place)
    return int(digits[1]) if digits else sys.maxsize


def _check_content(course: ImportedCourse, findings: Findings) -> None:
    if not (course.waypoints or course.fences or course.zones):
        findings.error(FILE, "waypoints", Said("there is nothing in the file that TRM times"))
    elif not course.waypoints:
        findings.warning(FILE, "waypoints", Said("there are none in the file"))


def _features(filename: str, data: bytes, findings: Findings) -> list[Feature]:
    ending = filename.rpartition(".")[2].lower()
    if ending == "kmz" or data.startswith(b"PK\x03\x04"):
        findings.error(FILE, "format", Said("KMZ is a zip archive: unpack it and give the KML inside"))
    elif ending not in _READERS:
        known = ", ".join(f".{ending}" for ending in _READERS)
        findings.error(FILE, "format", Said("the name must end with one of %(known)s", known=known))
    elif not data.strip():
        findings.error(FILE, "content", Said("the file is empty"))
    elif len(data) > GREATEST_BYTES:
        findings.error(FILE, "content", Said("is larger than %(most)s MB", most=GREATEST_BYTES // 1024 // 1024))
    else:
        try:
            return _READERS[ending](data, findings)
        except XmlFault as fault:
            findings.error(line(fault.line), "XML", fault.reason)
    return []
