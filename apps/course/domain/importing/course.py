"""The course of one segment, as a file gives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.common.said import Said


@dataclass(frozen=True, slots=True)
class ImportedWaypoint:
    """A point of contracts' types; degrees and metres. `order` is unique in its file."""

    place: Said
    name: str
    type: str
    lat: float
    lon: float
    open_m: float | None
    clear_m: float
    order: int


@dataclass(frozen=True, slots=True)
class ImportedFence:
    """A geofence: `kind` is one of area, gate, bivouac, parc-ferme. `role` is start, finish or ""."""

    place: Said
    name: str
    kind: str
    geometry: Mapping[str, Any]
    bearing: float | None = None
    role: str = ""


@dataclass(frozen=True, slots=True)
class ImportedZone:
    """A speed zone: either a GeoJSON Polygon, or the orders of its DZ and FZ waypoints."""

    place: Said
    name: str
    limit_kmh: float
    geometry: Mapping[str, Any] | None = None
    dz_order: int | None = None
    fz_order: int | None = None


@dataclass(frozen=True, slots=True)
class ImportedCourse:
    waypoints: tuple[ImportedWaypoint, ...] = ()
    fences: tuple[ImportedFence, ...] = ()
    zones: tuple[ImportedZone, ...] = ()
