"""Recorded tracks from GPX files, read without trust."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from apps.common import foreign
from apps.common.said import Listed, Said, about, phrased

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KMH = 3.6  # files give speed in m/s


class GpxError(ValueError):
    """A file that is no track; the message names place and reason."""


@dataclass(frozen=True, slots=True)
class GpxPoint:
    """`ts` epoch ms, degrees, metres, km/h, degrees from north; None where the file says nothing."""

    ts: int
    lat: float
    lon: float
    ele: float | None = None
    speed_kmh: float | None = None
    course: float | None = None


@dataclass(frozen=True, slots=True)
class GpxTrack:
    """The points by time, and how many were left out because they have none."""

    points: tuple[GpxPoint, ...]
    without_time: int


def read_points(path: Path) -> GpxTrack:
    """All track points of a file, over all its tracks and segments. Raises GpxError."""
    try:
        root = ElementTree.fromstring(path.read_bytes(), forbid_dtd=True)
    except OSError as error:
        raise GpxError(error.strerror) from error
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise GpxError(_unreadable(error)) from error
    if _name(root) != "gpx":
        raise GpxError(Said("no GPX: the file begins with <%(root)s>", root=_name(root)))
    elements = [element for element in root.iter() if _name(element) == "trkpt"]
    points = [_point(number, element) for number, element in enumerate(elements, start=1)]
    timed = sorted((point for point in points if point is not None), key=lambda point: point.ts)
    if not timed:
        raise GpxError(Said("no track point with a time in %(count)s points", count=len(points)))
    return GpxTrack(tuple(timed), len(points) - len(timed))


def _point(number: int, element: Element) -> GpxPoint | None:
    """The point, or None when it has no time."""
    try:
        values = {_name(child): child.text or "" for child in _inside(element)}
        lat, lon = float(element.attrib["lat"]), float(element.attrib["lon"])
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise ValueError(Said("(%(lat)s, %(lon)s) is not on Earth", lat=lat, lon=lon))
        if "time" not in values:
            return None
        speed = _number(values, "speed")
        return GpxPoint(
            ts=_instant(values["time"]),
            lat=lat,
            lon=lon,
            ele=_number(values, "ele", "altitude"),
            speed_kmh=None if speed is None else speed * KMH,
            course=_number(values, "course"),
        )
    except KeyError as error:
        raise _of_point(number, Said("attribute %(name)s is missing", name=error)) from error
    except ValueError as error:
        why = error.args[0]
        raise _of_point(number, why if isinstance(why, Said) else phrased(why, foreign.VALUE)) from error


def _of_point(number: int, reason: Said | Listed) -> GpxError:
    return GpxError(about(Said("track point %(n)s", n=number), reason))


def _unreadable(error: Exception) -> Said:
    if isinstance(error, DefusedXmlException):
        return Said("document types and entities are refused")
    return Said("not readable as XML: %(why)s", why=phrased(str(error), foreign.XML))


def _inside(element: Element) -> Iterator[Element]:
    """The point's children and those of its extensions."""
    return (child for child in element.iter() if child is not element)


def _number(values: dict[str, str], *names: str) -> float | None:
    return next((float(values[name]) for name in names if values.get(name)), None)


def _instant(text: str) -> int:
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        raise ValueError(Said("time %(given)s has no time zone", given=repr(text)))
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _name(element: Element) -> str:
    """The tag without its namespace."""
    return str(element.tag).rpartition("}")[2]
