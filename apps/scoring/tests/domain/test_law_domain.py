"""The law of design §4 for whole stages, without any database: evidence in any order ends in the same outcome.

A desk keeps what the tables keep and does what the scorer does: it writes rows once, looks at windows again one by
one, and lets what a window shows replace what stood there. Beside it, a clean run sees everything once, in order.
"""

import random
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.course.domain.crossings import Course, Crossing, detect
from apps.course.domain.fixes import Fixes
from apps.penalties.domain.decisions import overlay
from apps.scoring.domain.classification import Ranked, classify
from apps.scoring.domain.outcome import StageOutcome, stage_line
from apps.scoring.domain.readings import Evidence
from apps.scoring.domain.stage import score_stage
from apps.scoring.domain.status import Status
from apps.scoring.tests.domain import night
from apps.scoring.tests.domain.night import Row, Tracker

Window = tuple[Tracker, int, int]
Result = tuple[dict[str, StageOutcome], tuple[Ranked, ...]]


@dataclass(slots=True)
class Desk:
    """Rows by tracker and instant, and the crossings read from them."""

    course: Course
    rows: dict[Tracker, dict[int, Row]] = field(default_factory=dict)
    faulty: set[tuple[Tracker, int]] = field(default_factory=set)
    crossings: dict[Tracker, set[Crossing]] = field(default_factory=dict)

    def write(self, batch: Iterable[Row]) -> None:
        for row in batch:
            self.rows.setdefault(row.tracker, {}).setdefault(row.ts, row)

    def look_again(self, window: Window) -> None:
        """What the fixes of the window with one neighbour each side show replaces every chord they overlap."""
        tracker, from_ts, to_ts = window
        rows = self._usable(tracker)
        instants = [row.ts for row in rows]
        first, last = bisect_left(instants, from_ts) - 1, bisect_right(instants, to_ts)
        low = instants[first] if first >= 0 else 0
        high = instants[last] if last < len(rows) else 2**62
        found = detect(fixes_of(rows[max(first, 0) : last + 1]), self.course).crossings
        held = self.crossings.get(tracker, set())
        self.crossings[tracker] = {c for c in held if c.after_ts <= low or c.before_ts >= high} | set(found)

    def edit(self, course: Course) -> None:
        """A change of the course: all the record is looked at again."""
        self.course = course
        for tracker in self.rows:
            self.look_again((tracker, 0, 2**61))

    def result(self, rng: random.Random) -> Result:
        """Every crew scored from its evidence in a random order, and the ranking."""
        outcomes = {crew: score_stage(night.STAGE, night.RULES, self._evidence(crew, rng)) for crew in night.CREWS}
        lines = [stage_line(outcomes[crew], 301 + n, f"C{n % 2}") for n, crew in enumerate(night.CREWS)]
        return outcomes, classify(shuffled(lines, rng))

    def _evidence(self, crew: str, rng: random.Random) -> Evidence:
        trackers = [(crew, priority) for priority in (0, 1)]
        crossings = [c for tracker in trackers for c in sorted(self.crossings.get(tracker, ()), key=repr)]
        rows = [row for tracker in trackers for row in self._usable(tracker)]
        decisions = [d for d in night.DECISIONS if d.binds(crew, "", "stage")]
        fixes = fixes_of(shuffled(rows, rng))
        return Evidence(
            entry=crew,
            race_class="",
            crossings=tuple(shuffled(crossings, rng)),
            fixes=fixes,
            around_missed=fixes,
            overlay=overlay(shuffled(decisions, rng)),
            marks=night.MARKS.get(crew, ()),
        )

    def _usable(self, tracker: Tracker) -> list[Row]:
        of_tracker = self.rows.get(tracker, {})
        return [of_tracker[ts] for ts in sorted(of_tracker) if (tracker, ts) not in self.faulty]


def fixes_of(rows: Sequence[Row]) -> Fixes:
    """In the order given; the device code is the priority."""
    columns = np.array([(r.tracker[1], r.ts, r.lat, r.lon, r.speed) for r in rows], np.float64).reshape(-1, 5).T
    return Fixes.build(columns[0].astype(np.int32), columns[1].astype(np.int64), *columns[2:])


def shuffled(items: Sequence[Any], rng: random.Random) -> list[Any]:
    return rng.sample(list(items), len(items))


def clean_run(rows: Sequence[Row], faulty: Iterable[Row], course: Course) -> Result:
    """Once, in order, with everything known from the beginning."""
    desk = Desk(course, faulty={(row.tracker, row.ts) for row in faulty})
    desk.write(sorted(rows, key=lambda row: row.ts))
    desk.edit(course)
    return desk.result(random.Random(0))


def wild_run(rows: Sequence[Row], faulty: Sequence[Row], course: Course, rng: random.Random) -> Result:
    """Late, twice, out of order, in windows that wait; flags and the edit of the course come at any moment."""
    desk, pending = Desk(night.course()), list[Window]()
    batches = list(cut(arrivals(rows, rng), rng, 120))
    events: list[Callable[[], None]] = [lambda: desk.edit(course)]
    events += [lambda row=row: flag(desk, row, pending) for row in faulty]  # type: ignore[misc]
    moments = {n: rng.randrange(len(batches)) for n in range(len(events))}
    for moment, batch in enumerate(batches):
        desk.write(batch)
        pending += announced(batch, rng)
        for n, event in enumerate(events):
            if moments[n] == moment:
                event()
        rng.shuffle(pending)
        for _ in range(rng.randrange(len(pending) + 1)):
            desk.look_again(pending.pop())
    for window in pending:
        desk.look_again(window)
    return desk.result(rng)


def flag(desk: Desk, row: Row, pending: list[Window]) -> None:
    desk.faulty.add((row.tracker, row.ts))
    pending.append((row.tracker, row.ts, row.ts))


def arrivals(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Neighbours change places, bursts come hours late, a tenth comes twice."""
    twice = rng.sample(list(rows), len(rows) // 10)
    order = [(row, row.ts + rng.uniform(-5000, 5000)) for row in (*rows, *twice)]
    trackers = sorted({row.tracker for row in rows})
    late = {(rng.choice(trackers), rng.randrange(12)): rng.uniform(0, 600_000) for _ in range(25)}
    delayed = [(at + late.get((row.tracker, (row.ts - night.START) // 25_000), 0.0), row.ts, row) for row, at in order]
    return [row for _, _, row in sorted(delayed, key=lambda item: item[:2])]


def cut(items: Sequence[Any], rng: random.Random, longest: int) -> Iterator[Sequence[Any]]:
    """In pieces of random lengths."""
    at = 0
    while at < len(items):
        length = rng.randint(1, longest)
        yield items[at : at + length]
        at += length


def announced(batch: Sequence[Row], rng: random.Random) -> Iterator[Window]:
    """The windows of a batch, cut anyhow, some told twice."""
    for tracker in sorted({row.tracker for row in batch}):
        instants = sorted({row.ts for row in batch if row.tracker == tracker})
        for part in cut(instants, rng, rng.choice([1, 5, 100])):
            yield from [(tracker, part[0], part[-1])] * rng.choice([1, 1, 2])


def check_law(seed: int) -> None:
    rng = random.Random(seed)
    rows = night.drive(rng)
    course = night.course(edited=rng.random() < 0.5)
    faulty = rng.sample(rows, rng.randrange(12))
    expected = clean_run(rows, faulty, course)
    assert wild_run(rows, faulty, course, rng) == expected, f"seed {seed}"


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_any_order_and_split_ends_in_the_outcome_of_one_clean_run(seed: int) -> None:
    """Crossings, penalties, decisions, statuses, totals, hashes and ranks, whatever came when and how often."""
    check_law(seed)


def test_the_law_is_worth_testing() -> None:
    """Guards the law against comparing nothing with nothing: all it speaks of happens in these stages."""
    seen: Counter[str] = Counter()
    for seed in range(12):
        rows = night.drive(random.Random(seed))
        outcomes, ranks = clean_run(rows, (), night.course(edited=seed % 2 == 1))
        seen.update(kind for outcome in outcomes.values() for kind in happened(outcome))
        seen["ranked"] += sum(rank.rank is not None for rank in ranks)
        seen["second tracker decides"] += (
            outcomes != clean_run(first_trackers(rows), (), night.course(seed % 2 == 1))[0]
        )
    expected = {
        "finished",
        "dnf",
        "missed",
        "in doubt",
        "speeding",
        "waived",
        "midnight",
        "ranked",
        "second tracker decides",
    }
    assert all(seen[kind] >= 5 for kind in expected), seen


def first_trackers(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.tracker[1] == 0]


def happened(outcome: StageOutcome) -> Iterator[str]:
    time = outcome.segments[0]
    yield "finished" if outcome.status is Status.FINISHED else "dnf" if outcome.status is Status.DNF else ""
    yield from ("missed" for _ in outcome.missed)
    yield from ("in doubt" for _ in outcome.in_doubt)
    yield from ("speeding" for penalty in outcome.penalties if penalty.type == "speed_zone")
    yield from ("waived" for _ in outcome.waived)
    yield "midnight" if (time.start_ts or 2**62) < night.MIDNIGHT < (time.finish_ts or 0) else ""


def test_the_law_catches_an_engine_that_takes_fixes_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a mutant of the sort in `Fixes.build`."""
    monkeypatch.setattr(np, "lexsort", lambda keys: np.argsort(keys[-1], kind="stable"))
    with pytest.raises(AssertionError):
        check_law(1)


def test_two_late_fixes_looked_at_apart_leave_nothing_of_the_chord_they_split() -> None:
    """Both are written before either is looked at: neither window has the old chord's two ends."""
    rows = [Row(("swift", 0), night.START + n * 3000, *night.place(50 + n * 30), 36) for n in range(4)]
    desk = Desk(night.course())
    desk.write([rows[0], rows[3]])
    desk.look_again((("swift", 0), rows[0].ts, rows[3].ts))
    desk.write([rows[1], rows[2]])
    for row in rows[1:3]:
        desk.look_again((row.tracker, row.ts, row.ts))
    assert [(c.before_ts, c.after_ts) for c in desk.crossings["swift", 0]] == [(rows[1].ts, rows[2].ts)]
