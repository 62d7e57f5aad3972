"""GeoJSON: a FeatureCollection of Points, Polygons and LineStrings, with the properties of analyse_track's courses."""

import json
from collections.abc import Iterator
from typing import Any

from apps.course.domain.importing.features import Feature, canonical, clean_name
from apps.course.domain.importing.findings import Findings, place


def read_geojson(data: bytes, findings: Findings) -> list[Feature]:
    """The features of a FeatureCollection; what is no feature is noted."""
    document = _load(data, findings)
    if document is None:
        return []
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection" or not isinstance(features, list):
        findings.error("file", "type", "a FeatureCollection with a list of features is needed")
        return []
    return [feature for n, row in enumerate(features, start=1) for feature in _feature(n, row, findings)]


def _load(data: bytes, findings: Findings) -> Any:
    """The document, or None when it is not JSON in UTF-8."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        findings.error(f"line {line}", "encoding", f"the file is not UTF-8: byte {data[error.start]:#04x}")
    except json.JSONDecodeError as error:
        findings.error(f"line {error.lineno}", "JSON", f"not valid JSON: {error.msg}, column {error.colno}")
    except (ValueError, RecursionError) as error:
        findings.error("file", "JSON", f"not readable as JSON: {error!s:.100}")
    return None


def _feature(index: int, row: Any, findings: Findings) -> Iterator[Feature]:
    where = f"feature {index}"
    if not isinstance(row, dict) or row.get("type") != "Feature":
        findings.error(where, "type", "is no Feature")
        return
    given = row.get("properties")
    properties = canonical(given) if isinstance(given, dict) else {}
    name = clean_name(properties.get("name"))
    geometry = row.get("geometry")
    if not isinstance(geometry, dict):
        findings.error(place(where, name), "geometry", "is missing")
        return
    yield Feature(place(where, name), name, clean_name(properties.get("type")), geometry, properties)
