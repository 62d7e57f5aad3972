"""What the whole field sends, in the order it reaches the stream: late bursts, duplicates and all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from apps.common.position import Position
from apps.demo.domain.course import StageCourse
from apps.demo.domain.drive import Mishap, Track, drive
from apps.demo.domain.field import Crew
from apps.timing.domain.start_order import IntervalBand, start_times

BANDS = (IntervalBand(1, 60_000), IntervalBand(11, 40_000), IntervalBand(31, 20_000))
PANIC = 2
DUPLICATE_SHARE = 0.01
DELAY_SHARE = 0.02
PANIC_BUTTON_EVERY = 30  # a worn button reports each half minute, not each second
SOS_STAGE = 1  # by its place in the course, of which crew, and how long after the first start:
SOS_CREW = 2
SOS_AFTER_MS = 21 * 60_000  # a minute after the demo opens (`schedule.OPENS_MS`)
WORN = 2  # the place of the panic button among an entry's devices


@dataclass(frozen=True, slots=True)
class Sending:
    """A position and the instant (epoch ms) at which it reaches the stream."""

    at: int
    position: Position


def starts(crews: Sequence[Crew], stage: StageCourse) -> dict[int, int]:
    """Start of the special stage by race number, epoch ms: in order of number, in interval bands (rulebook §7.2)."""
    instants = start_times(len(crews), stage.first_start_ts, BANDS)
    return {crew.number: ts for crew, ts in zip(crews, instants, strict=True)}


def spread_ms(entries: int) -> int:
    """From the first start of a stage to the last."""
    return start_times(entries, 0, BANDS)[-1]


def retired_before(crew: Crew, stage_index: int) -> bool:
    """Whether the crew gave up on an earlier stage."""
    return any(mishap.retires_at_m is not None for mishap in crew.mishaps[:stage_index])


def traffic(course: Sequence[StageCourse], crews: Sequence[Crew], seed: int, index: int) -> list[Sending]:
    """All that is sent on one stage of the course, by instant of sending."""
    stage = course[index]
    begin = starts(crews, stage)
    running = [crew for crew in crews if not retired_before(crew, index)]
    sendings = [s for crew in running for s in _of_crew(index, stage, crew, begin[crew.number], seed)]
    if index == SOS_STAGE and len(crews) > SOS_CREW:
        sendings = list(_with_sos(sendings, crews[SOS_CREW].devices[0], stage.first_start_ts + SOS_AFTER_MS))
    return sorted(sendings, key=lambda s: (s.at, s.position.device_id, s.position.ts))


def _with_sos(sendings: Sequence[Sending], imei: str, at: int) -> Iterator[Sending]:
    """The same, but for a tracker's first fix from `at` on, and its copy: its SOS button was pressed, by mistake."""
    after = [s.position.ts for s in sendings if s.position.device_id == imei and s.position.ts >= at]
    for sending in sendings:
        pressed = after and sending.position.device_id == imei and sending.position.ts == min(after)
        yield Sending(sending.at, msgspec.structs.replace(sending.position, priority=PANIC)) if pressed else sending


def _of_crew(index: int, stage: StageCourse, crew: Crew, start_ts: int, seed: int) -> Iterator[Sending]:
    mishap = crew.mishaps[index]
    for tracker, imei in enumerate(crew.devices):
        # The drive is one, the receivers' noise differs.
        track = drive(
            stage, crew.vehicle, start_ts, mishap, np.random.default_rng([seed, 4, crew.number, index, tracker])
        )
        every = PANIC_BUTTON_EVERY if tracker == WORN else 1
        yield from _sent(track, imei, every, mishap, start_ts, np.random.default_rng([seed, 5, crew.number, index]))


def _sent(
    track: Track, imei: str, every: int, mishap: Mishap, start_ts: int, rng: np.random.Generator
) -> Iterator[Sending]:
    """A track as it arrives: most at once, some late, some twice, and all of a silence in one burst."""
    count = len(track.ts)
    at = track.ts + rng.integers(200, 900, count)
    late = rng.random(count) < DELAY_SHARE
    at[late] += rng.integers(1000, 8000, int(late.sum()))
    if mishap.silent_s is not None:
        begin, end = (start_ts + int(s * 1000) for s in mishap.silent_s)
        at = np.where((track.ts >= begin) & (track.ts <= end), end + 1000, at)
    twice = rng.random(count) < DUPLICATE_SHARE
    for n in range(0, count, every):
        position = _position(track, n, imei, int(rng.integers(9, 16)))
        yield Sending(int(at[n]), position)
        if twice[n]:
            yield Sending(int(at[n]) + 3000, position)


def _position(track: Track, n: int, imei: str, satellites: int) -> Position:
    return Position(
        device_id=imei,
        ts=int(track.ts[n]),
        latitude=float(track.lat[n]),
        longitude=float(track.lon[n]),
        altitude=700.0,
        angle=float(track.angle[n]),
        speed=float(track.speed[n]),
        satellites=satellites,
        attributes={"239": 1, "240": int(track.speed[n] > 0), "66": 13_800, "21": 4},
    )
