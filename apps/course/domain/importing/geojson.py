"""GeoJSON: a FeatureCollection of Points, Polygons and LineStrings, with the properties of analyse_track's courses."""

import json
from collections.abc import Iterator
from typing import Any

from apps.common import foreign
from apps.common.said import Said, phrased
from apps.course.domain.importing.features import Feature, canonical, clean_name
from apps.course.domain.importing.findings import FILE, Findings, line, place


def read_geojson(data: bytes, findings: Findings) -> list[Feature]:
    """The features of a FeatureCollection; what is no feature is noted."""
    document = _load(data, findings)
    if document is None:
        return []
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection" or not isinstance(features, list):
        findings.error(FILE, "type", Said("a FeatureCollection with a list of features is needed"))
        return []
    return [feature for n, row in enumerate(features, start=1) for feature in _feature(n, row, findings)]


def _load(data: bytes, findings: Findings) -> Any:
    """The document, or None when it is not JSON in UTF-8."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        where = line(data.count(b"\n", 0, error.start) + 1)
        findings.error(
            where, "encoding", Said("the file is not UTF-8: byte %(byte)s", byte=f"{data[error.start]:#04x}")
        )
    except json.JSONDecodeError as error:
        why = phrased(error.msg, foreign.JSON)
        text = Said("not valid JSON: %(why)s, column %(column)s", why=why, column=error.colno)
        findings.error(line(error.lineno), "JSON", text)
    except (ValueError, RecursionError) as error:
        findings.error(FILE, "JSON", Said("not readable as JSON: %(why)s", why=str(error)[:100]))
    return None


def _feature(index: int, row: Any, findings: Findings) -> Iterator[Feature]:
    where = Said("feature %(n)s", n=index)
    if not isinstance(row, dict) or row.get("type") != "Feature":
        findings.error(where, "type", Said("is no Feature"))
        return
    given = row.get("properties")
    properties = canonical(given) if isinstance(given, dict) else {}
    name = clean_name(properties.get("name"))
    geometry = row.get("geometry")
    if not isinstance(geometry, dict):
        findings.error(place(where, name), "geometry", Said("is missing"))
        return
    yield Feature(place(where, name), name, clean_name(properties.get("type")), geometry, properties)
