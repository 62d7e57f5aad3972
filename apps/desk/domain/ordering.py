"""Whether a time somebody typed can be: what to ask before it is written (rulebook 9.3)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

FUTURE_MS = 60_000
FAR_FROM_GPS_MS = 60_000


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an entry in a stage: times per control (epoch ms) by GPS and by hand, and its assigned start."""

    gps: Mapping[str, Sequence[int]] = field(default_factory=dict)
    recorded: Mapping[str, Sequence[int]] = field(default_factory=dict)
    target_ts: int | None = None
    out: bool = False

    def at(self, control: str) -> list[int]:
        return sorted([*self.gps.get(control, ()), *self.recorded.get(control, ())])


@dataclass(frozen=True, slots=True)
class Typed:
    """A time about to be written; `road` are the stage's controls in the order they are driven."""

    control: str
    ts: int
    road: Sequence[str]
    window: tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why to ask: a code, and the control and instant it is about."""

    code: str
    control: str = ""
    ts: int | None = None


def doubts(typed: Typed, known: Known, now: int) -> list[Doubt]:
    """Everything that speaks against the time, the gravest first; empty when it fits."""
    found = [*_window(typed, now), *_order(typed, known), *_same_control(typed, known)]
    return [Doubt("out"), *found] if known.out else found


def _window(typed: Typed, now: int) -> Iterator[Doubt]:
    low, high = typed.window
    if typed.ts > now + FUTURE_MS:
        yield Doubt("future")
    if typed.ts < low or (high is not None and typed.ts > high):
        yield Doubt("outside")


def _order(typed: Typed, known: Known) -> Iterator[Doubt]:
    """Controls before it that were passed later, and controls after it that were passed earlier."""
    if typed.control not in typed.road:
        return
    here = typed.road.index(typed.control)
    before = [(control, min(times)) for control in typed.road[:here] if (times := known.at(control))]
    after = [(control, max(times)) for control in typed.road[here + 1 :] if (times := known.at(control))]
    late = [(control, ts) for control, ts in before if ts > typed.ts]
    early = [(control, ts) for control, ts in after if ts < typed.ts]
    if late:
        yield Doubt("before-earlier", *late[-1])
    if early:
        yield Doubt("after-later", *early[0])
    if known.target_ts is not None and typed.ts < known.target_ts and not late:
        yield Doubt("before-start", ts=known.target_ts)


def _same_control(typed: Typed, known: Known) -> Iterator[Doubt]:
    recorded = known.recorded.get(typed.control, ())
    if recorded:
        yield Doubt("again", typed.control, recorded[-1])
    gps = known.gps.get(typed.control, ())
    nearest = min(gps, key=lambda ts: abs(ts - typed.ts), default=None)
    if nearest is not None and abs(nearest - typed.ts) > FAR_FROM_GPS_MS:
        yield Doubt("far-from-gps", typed.control, nearest)
