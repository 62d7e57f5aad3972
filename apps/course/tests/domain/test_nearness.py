"""The spatial index: it may name chords too many, never one too few."""

from types import ModuleType

import numpy as np
import pytest

from apps.course.domain import nearness
from apps.course.domain.boxes import Bounds, Chords

SEED = 20260607


def walks(rng: np.random.Generator, devices: int, length: int) -> Chords:
    """Chords of devices that wander about some kilometres."""
    lat = 41 + rng.normal(0, 0.001, (devices, length)).cumsum(axis=1) + 0.05 * rng.random((devices, 1))
    lon = 20 + rng.normal(0, 0.001, (devices, length)).cumsum(axis=1) + 0.05 * rng.random((devices, 1))
    count = devices * (length - 1)
    return Chords(
        device=np.repeat(np.arange(devices, dtype=np.int32), length - 1),
        before_ts=np.arange(count),
        after_ts=np.arange(count) + 1,
        lat=(lat[:, :-1].ravel(), lat[:, 1:].ravel()),
        lon=(lon[:, :-1].ravel(), lon[:, 1:].ravel()),
    )


def one_by_one(chords: Chords, bounds: Bounds) -> list[int]:
    (a, b), (c, d) = chords.lat, chords.lon
    rows = (np.minimum(a, b) <= bounds.north) & (np.maximum(a, b) >= bounds.south)
    rows &= (np.minimum(c, d) <= bounds.east) & (np.maximum(c, d) >= bounds.west)
    return [int(row) for row in np.flatnonzero(rows)]


def check_agreement(module: ModuleType) -> None:
    """Few chords, many, and a number that is no multiple of a stretch."""
    rng = np.random.default_rng(SEED)
    for devices, length in ((1, 2), (3, 100), (50, 101), (71, 97)):
        chords = walks(rng, devices, length)
        south, west = 41 + 0.05 * rng.random(40), 20 + 0.05 * rng.random(40)
        bounds = [Bounds(s, s + 0.002, w, w + 0.003) for s, w in zip(south, west, strict=True)]
        found = {n: rows.tolist() for n, rows in module.near(chords, bounds)}
        wanted = {n: rows for n, one in enumerate(bounds) if (rows := one_by_one(chords, one))}
        assert found == wanted, f"seed {SEED}, {devices} devices of {length} fixes"


def test_the_index_finds_what_looking_at_each_chord_finds() -> None:
    check_agreement(nearness)


@pytest.mark.parametrize("bounds", [[], [Bounds(0, 1, 0, 1)]])
def test_nothing_is_near_where_nothing_is(bounds: list[Bounds]) -> None:
    """A course without controls, and a record without chords, are no errors."""
    none = walks(np.random.default_rng(SEED), 1, 1)
    assert list(nearness.near(none, bounds)) == []
    assert list(nearness.near(walks(np.random.default_rng(SEED), 2, 3), [])) == []
