"""What all formats are brought to before anything is checked: features with a place, a shape and properties."""

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.common.said import Said
from apps.course.domain.geometry import shown
from apps.course.domain.importing.findings import Findings

LONGEST_NAME = 100  # characters: the column's length
GREATEST_SIZE = 100_000  # metres or km/h

# Names that people and programs give to the same property. On the right, the names of analyse_track's courses.
ALIASES = {
    "radius": "radius_m",
    "clear": "radius_m",
    "open": "open_m",
    "limit": "speed_limit_kmh",
    "speed": "speed_limit_kmh",
    "speed_limit": "speed_limit_kmh",
}


@dataclass(frozen=True, slots=True)
class Feature:
    """A named shape of a file. `geometry` is GeoJSON, not yet checked; property names are the canonical ones."""

    place: Said
    name: str
    type: str
    geometry: Mapping[str, Any]
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> object:
        return self.geometry.get("type")


def canonical(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties under lower-case canonical names, empty ones dropped."""
    lowered = {str(key).strip().lower(): value for key, value in properties.items() if value not in (None, "")}
    return {ALIASES.get(key, key): value for key, value in lowered.items()}


def clean_name(value: Any) -> str:
    """The name on one line; "" when there is none. Characters no database text can hold are left out."""
    text = str(value) if isinstance(value, str | int | float) else ""
    printable = (" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    return " ".join("".join(printable).split())


def number(feature: Feature, name: str, findings: Findings) -> float | None:
    """A property as a finite number; None when absent, or not one (an error is then noted)."""
    value = feature.properties.get(name)
    if value is None:
        return None
    parsed = to_float(value)
    if parsed is None:
        findings.error(feature.place, name, Said("%(given)s is not a number", given=shown(value)))
    return parsed


def size(feature: Feature, name: str, findings: Findings) -> float | None:
    """As `number`, for metres and km/h: from 1, as the columns have it, to what can be no slip of the pen."""
    parsed = number(feature, name, findings)
    if parsed is not None and not 1 <= parsed <= GREATEST_SIZE:
        text = Said("%(given)s is not from 1 to %(most)s", given=f"{parsed:g}", most=GREATEST_SIZE)
        findings.error(feature.place, name, text)
        return None
    return parsed


def to_float(value: Any) -> float | None:
    """A number, or text that is one, as a finite float; None otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return parsed if math.isfinite(parsed) else None
