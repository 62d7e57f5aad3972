"""A vehicle on a stage: how fast it can go, where it is at each second, and what its tracker says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.demo.domain.course import HALT_BEFORE_START_M, StageCourse
from apps.demo.domain.road import STEP_M, Floats

NOISE_M = 1.2  # how far a good receiver wanders
NOISE_MEMORY_S = 20.0
LIAISON_KMH = 60.0


@dataclass(frozen=True, slots=True)
class Vehicle:
    """What a kind of vehicle can do, and how well this crew uses it."""

    top_kmh: float
    sideways_ms2: float  # lateral grip
    thrust_ms2: float
    brakes_ms2: float
    skill: float  # 1 = the best crew


@dataclass(frozen=True, slots=True)
class Mishap:
    """What goes wrong for a crew on a stage; distances in metres along the road."""

    retires_at_m: float | None = None
    passes_wide_at_m: float | None = None
    speeds_in: str = ""
    silent_s: tuple[float, float] | None = None  # no coverage, from and to after the start


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What a tracker recorded, in columns: epoch ms, degrees, km/h, degrees."""

    ts: NDArray[np.int64]
    lat: Floats
    lon: Floats
    speed: Floats
    angle: Floats


def drive(stage: StageCourse, vehicle: Vehicle, start_ts: int, mishap: Mishap, rng: np.random.Generator) -> Track:
    """The track of a crew that leaves the special stage's start at `start_ts`."""
    samples, arrival = _timetable(stage, vehicle, mishap)
    left = float(np.interp(stage.start_m, samples, arrival))
    seconds = _seconds(stage, samples, arrival, rng)
    at = np.interp(seconds, arrival, samples)
    speed = np.gradient(at, seconds) * 3.6
    lat, lon = stage.road.places(at, _aside(at, mishap) + _wander(seconds, rng))
    ahead = np.gradient(lat), np.gradient(lon) * np.cos(np.radians(lat))
    return Track(
        ts=start_ts + np.rint((seconds - left) * 1000).astype(np.int64),
        lat=(lat + _wander(seconds, rng) / 111_320).round(7),
        lon=lon.round(7),
        speed=np.maximum(np.rint(speed), 0),
        angle=np.rint(np.degrees(np.arctan2(ahead[1], ahead[0])) % 360),
    )


def _timetable(stage: StageCourse, vehicle: Vehicle, mishap: Mishap) -> tuple[Floats, Floats]:
    """Distances along the road and the second each is reached at; a halt is two seconds at one distance."""
    samples: Floats = np.arange(len(stage.road.x), dtype=np.float64) * STEP_M
    speed = _attainable(_wanted(stage, vehicle, mishap, samples), vehicle)
    arrival = np.concatenate([[0.0], np.cumsum(STEP_M / ((speed[1:] + speed[:-1]) / 2))])
    last = len(samples) if mishap.retires_at_m is None else int(mishap.retires_at_m / STEP_M)
    samples, arrival = samples[:last], np.asarray(arrival[:last], np.float64)
    for at_m, for_s in (*_halts(stage), (float(samples[-1]), 180.0)):
        place = int(np.searchsorted(samples, at_m))
        if place < len(samples):
            samples = np.concatenate([samples[: place + 1], samples[place:] + 0.0])
            samples[place + 1] += 0.01
            arrival = np.concatenate([arrival[: place + 1], arrival[place:] + for_s])
    return samples, arrival


def _halts(stage: StageCourse) -> list[tuple[float, float]]:
    """Waiting for the start, and what the stage itself asks for."""
    return [(stage.start_m - HALT_BEFORE_START_M, 90.0), *stage.halts]


def _wanted(stage: StageCourse, vehicle: Vehicle, mishap: Mishap, samples: Floats) -> Floats:
    """What the driver would go at each place, m/s, were it not for thrust and brakes."""
    bends = np.sqrt(vehicle.sideways_ms2 / np.maximum(stage.road.curvature(), 1e-6))
    wanted = np.minimum(bends, vehicle.top_kmh / 3.6) * vehicle.skill
    on_liaison = (samples < stage.start_m - HALT_BEFORE_START_M) | (samples > stage.finish_m + 100)
    wanted[on_liaison] = np.minimum(wanted[on_liaison], LIAISON_KMH / 3.6)
    for zone in stage.zones:
        inside = (samples > zone.from_m - 150) & (samples < zone.to_m + 150)
        slow = 18 if zone.name == mishap.speeds_in else -4
        wanted[inside] = np.minimum(wanted[inside], (zone.limit_kmh + slow) / 3.6)
    for at_m, _ in _halts(stage):
        wanted[int(at_m / STEP_M)] = 0.5
    return wanted


def _attainable(wanted: Floats, vehicle: Vehicle) -> Floats:
    """The wanted speed under the limits of thrust, from behind, and of brakes, from ahead."""
    squared = np.maximum(wanted, 0.5) ** 2
    for place in range(1, len(squared)):
        squared[place] = min(squared[place], squared[place - 1] + 2 * vehicle.thrust_ms2 * STEP_M)
    for place in range(len(squared) - 2, -1, -1):
        squared[place] = min(squared[place], squared[place + 1] + 2 * vehicle.brakes_ms2 * STEP_M)
    return np.asarray(np.sqrt(squared))


def _seconds(stage: StageCourse, samples: Floats, arrival: Floats, rng: np.random.Generator) -> Floats:
    """When the tracker records: each second on the special stage, each fourth on the liaisons."""
    begin, end = np.interp([stage.start_m - 60, stage.finish_m + 60], samples, arrival)
    offset = rng.uniform(0, 1)  # trackers do not tick together
    parts: Sequence[Floats] = (
        np.arange(offset, begin, 4.0),
        np.arange(begin + offset, end, 1.0),
        np.arange(end + 1 + offset, arrival[-1], 4.0),
    )
    return np.unique(np.concatenate(parts).round(3))


def _aside(at: Floats, mishap: Mishap) -> Floats:
    """Metres right of the road: nothing, or a wide arc round the place the crew misses."""
    if mishap.passes_wide_at_m is None:
        return np.zeros(len(at))
    away = np.clip((at - mishap.passes_wide_at_m) / 700, -1, 1)
    return np.asarray(220 * np.cos(away * np.pi / 2) ** 2)


def _wander(seconds: Floats, rng: np.random.Generator) -> Floats:
    """Receiver noise, metres: what it is wrong by now is much what it was wrong by a moment ago."""
    shocks = rng.normal(0, NOISE_M, len(seconds))
    keep = np.exp(-np.diff(seconds, prepend=seconds[:1]) / NOISE_MEMORY_S)
    noise = np.empty(len(seconds))
    last = 0.0
    for n, (shock, memory) in enumerate(zip(shocks, keep, strict=True)):
        last = memory * last + np.sqrt(1 - memory**2) * shock
        noise[n] = last
    return noise
