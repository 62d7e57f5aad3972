"""Radii of waypoint types that a regulation, or press quoting one, gives (rulebook §2.1)."""

from dataclasses import dataclass

from apps.common.said import Said


@dataclass(frozen=True, slots=True)
class Radius:
    """Metres; `open_m` None = it never opens, or is always open. `advice` is said when the default is taken."""

    clear_m: float
    open_m: float | None = None
    advice: Said | None = None


_UNSURE = Said("no radius given: 90 m taken, as other readers do; no regulation says it, check yours")

# WPP, PC, TC, DN, FN, DSS and ASS are not here: no source gives a number, so the file has to.
RADII = {
    "WPV": Radius(200.0),
    "WPE": Radius(90.0, 1000.0),
    "WPM": Radius(90.0, 800.0),
    "WPS": Radius(30.0, 1000.0),
    "WPC": Radius(300.0),
    "WPN": Radius(200.0, 800.0),
    "DZ": Radius(90.0, advice=_UNSURE),
    "FZ": Radius(90.0, advice=_UNSURE),
}
