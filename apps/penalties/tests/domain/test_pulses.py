"""Speeds, runs and pulses (rulebook 3.2, 3.3, worked example 3)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.course.domain.fixes import Fixes
from apps.penalties.domain.pulses import excesses, pulses, runs, speeds
from apps.penalties.tests.domain.build import example_3
from apps.timing.tests.domain.build import at, steady


def found(fixes: Fixes, limit: float) -> list[list[tuple[float, int]]]:
    """Pulses by run: (seconds after T0, excess)."""
    return [
        [((pulse.ts - at(0)) / 1000, pulse.excess) for pulse in pulses(run)]
        for run in runs(fixes, excesses(fixes, limit))
    ]


def test_worked_example_3_pulse_counts() -> None:
    """Run A 4 pulses of 15 over, run B 2 pulses of 25 over."""
    first, second = found(steady(example_3()), 50)
    assert [excess for _, excess in first] == [15] * 4
    assert [excess for _, excess in second] == [25] * 2
    assert [ts for ts, _ in first] == pytest.approx([10, 18.307, 26.615, 34.923], abs=0.002)


def test_worked_example_3_the_clock_fires_below_54_kmh() -> None:
    """36 km/h for 25 s in a 30 zone: pulses at 0, 10 and 20 s."""
    (run,) = found(steady([36.0] * 25 + [20.0]), 30)
    assert run == [(0, 6), (10, 6), (20, 6)]


def test_a_pulse_carries_the_highest_excess_since_the_last_one() -> None:
    """3.3: a peak between two pulses is not lost."""
    (run,) = found(steady([60.0] * 3 + [90.0] * 2 + [60.0] * 20 + [40.0]), 50)
    assert [excess for _, excess in run][:2] == [10, 40]


@pytest.mark.parametrize(("speed", "excess"), [(50.0, 0), (50.9, 0), (51.0, 1), (70.99, 20), (49.0, 0)])
def test_excess_is_floored_to_the_crews_benefit(speed: float, excess: int) -> None:
    """3.2: whole km/h, and at the limit is legal."""
    assert excesses(steady([speed, speed]), 50).tolist() == [excess, excess]


def test_tolerance_is_taken_off() -> None:
    """3.2: excess = speed − limit − tolerance."""
    assert excesses(steady([57.0, 57.0]), 50, 5).tolist() == [2, 2]


def test_without_a_device_speed_the_chord_tells_it() -> None:
    """3.2: haversine over dt; the first fix has no chord and stays unknown."""
    fixes = steady([72.0, 72.0, 72.0])
    blind = Fixes.build(fixes.device, fixes.ts, fixes.lat, fixes.lon, np.full(3, np.nan))
    assert np.isnan(speeds(blind)[0])
    assert speeds(blind)[1:] == pytest.approx([72.0, 72.0], abs=0.05)


def test_a_gap_ends_a_run() -> None:
    """What lies in a gap is nobody's evidence: neither a run nor a chord speed crosses it."""
    assert found(steady([80.0, 80.0, 80.0], step_s=11), 50) == [[(0, 30)], [(11, 30)], [(22, 30)]]


def test_no_fixes_no_runs() -> None:
    """An interval nobody recorded is no error."""
    assert found(steady([]), 50) == []


@given(st.lists(st.integers(30, 120), min_size=1, max_size=80))
def test_every_run_has_an_onset_pulse_and_pulses_never_exceed_its_worst(values: list[int]) -> None:
    """Pulses lie within their run, at least 150 m or 10 s apart."""
    fixes = steady([float(v) for v in values])
    excess = excesses(fixes, 60)
    every = list(runs(fixes, excess))
    assert sum(len(run) for run in every) == int((excess > 0).sum())
    for run in every:
        emitted = pulses(run)
        assert emitted[0].ts == run[0].ts
        assert max(p.excess for p in emitted) <= max(h.excess for h in run)
        assert emitted[-1].ts <= run[-1].ts + run[-1].ms
        assert [p.ts for p in emitted] == sorted({p.ts for p in emitted})
