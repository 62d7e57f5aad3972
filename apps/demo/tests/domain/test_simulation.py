"""The simulated rally: the same for the same seed, plausible to drive, and with the mishaps it promises."""

from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from apps.course.domain.controls import Control
from apps.course.domain.crossings import Course, detect
from apps.course.domain.fixes import Fixes
from apps.course.domain.plane import distance_m
from apps.demo.domain.course import FIRST_DAY, FIRST_TS, StageCourse, build_course
from apps.demo.domain.drive import Mishap, Track, Vehicle, drive
from apps.demo.domain.field import CLASSES, build_field
from apps.demo.domain.traffic import spread_ms, starts, traffic

CAR = Vehicle(105, 2.9, 2.4, 4.0, 0.95)
COURSE = build_course(1)
STAGES = pytest.mark.parametrize("stage", COURSE, ids=lambda stage: stage.name)


def track(stage: StageCourse, mishap: Mishap | None = None) -> Track:
    return drive(stage, CAR, stage.first_start_ts, mishap or Mishap(), np.random.default_rng(5))


def passed(stage: StageCourse, driven: Track) -> set[str]:
    """The names of the points whose circle the track enters."""
    circles = [Control.circle(p.name, *stage.road.place(p.at_m), p.radius_m) for p in stage.points]
    fixes = Fixes.build(0, driven.ts, driven.lat, driven.lon, driven.speed)
    return {crossing.control for crossing in detect(fixes, Course(circles)).crossings}


def test_the_same_seed_gives_the_same_rally_and_another_another() -> None:
    def sent(seed: int) -> list[object]:
        course = build_course(seed)
        return [(s.at, s.position) for s in traffic(course, build_field(6, 3, seed), seed, 1)]

    assert sent(3) == sent(3)
    assert sent(3) != sent(4)


@pytest.mark.parametrize("begins", [0, FIRST_TS - 86_400_000, FIRST_TS + 190 * 86_400_000 + 17 * 60_000])
def test_the_day_changes_nothing_but_the_times(begins: int) -> None:
    """Protects results that can be compared from run to run, though each is held on the day it is played."""
    moved, field = build_course(1, begins), build_field(6, 3, 1)
    for index in range(3):
        was = [(s.at, s.position) for s in traffic(COURSE, field, 1, index)]
        now = [(s.at, s.position) for s in traffic(moved, field, 1, index)]
        shift = begins - FIRST_TS
        assert [(at + shift, msgspec.structs.replace(p, ts=p.ts + shift)) for at, p in was] == now


@pytest.mark.parametrize("entries", [1, 7, 80, 180])
def test_nobody_starts_a_stage_before_all_are_home(entries: int) -> None:
    field = build_field(entries, 3, 1)
    course = build_course(1, FIRST_TS, spread_ms(entries))
    slowest = replace(field[0].vehicle, skill=0.7, top_kmh=90)
    for stage, then in pairwise(course):
        last = max(starts(field, stage).values())
        arrival = drive(stage, slowest, last, Mishap(), np.random.default_rng(1)).ts[-1]
        departure = drive(then, slowest, then.first_start_ts, Mishap(), np.random.default_rng(1)).ts[0]
        assert arrival < departure


@STAGES
def test_a_clean_drive_passes_every_point(stage: StageCourse) -> None:
    assert passed(stage, track(stage)) == {point.name for point in stage.points}


@STAGES
def test_a_drive_is_plausible(stage: StageCourse) -> None:
    driven = track(stage)
    assert np.diff(driven.ts).max() <= 5000  # never a gap that forbids a crossing
    assert driven.speed.max() <= CAR.top_kmh + 1
    moved = distance_m(driven.lat[:-1], driven.lon[:-1], driven.lat[1:], driven.lon[1:])
    assert (moved / np.diff(driven.ts) * 3600 < CAR.top_kmh + 25).all()  # noise included


@STAGES
def test_a_crew_waits_for_its_time_and_keeps_to_the_limits(stage: StageCourse) -> None:
    driven = track(stage)
    waiting = driven.speed[(driven.ts > stage.first_start_ts - 60_000) & (driven.ts < stage.first_start_ts - 20_000)]
    assert (waiting <= 2).all()
    for zone in stage.zones:
        middle = stage.road.place((zone.from_m + zone.to_m) / 2)
        near = distance_m(driven.lat, driven.lon, *middle) < (zone.to_m - zone.from_m) / 3
        assert near.any() and driven.speed[near].max() < zone.limit_kmh


def test_each_mishap_happens() -> None:
    stage = COURSE[1]
    speeding = track(stage, Mishap(speeds_in="Shkopet village"))
    inside = distance_m(speeding.lat, speeding.lon, *stage.road.place(9400)) < 200
    assert speeding.speed[inside].max() > 60
    assert "WPM 2" not in passed(stage, track(stage, Mishap(passes_wide_at_m=8400)))
    gone = track(stage, Mishap(retires_at_m=15_000))
    assert distance_m(gone.lat[-1], gone.lon[-1], *stage.road.place(14_995)) < 20


@pytest.mark.parametrize("seed", [2, 5])
def test_what_was_meant_to_go_wrong_goes_wrong_and_nothing_else(seed: int) -> None:
    """Protects the classification: one crew retires, one misses the WPM, everyone else passes every point."""
    course, field = build_course(seed), build_field(20, 3, seed)
    missed = {}
    for index, stage in enumerate(course):
        for crew in field:
            rng = np.random.default_rng([seed, crew.number])
            driven = drive(stage, crew.vehicle, stage.first_start_ts, crew.mishaps[index], rng)
            if names := {point.name for point in stage.points} - passed(stage, driven):
                missed[crew.number] = names
    retired, wide = sorted(missed.values(), key=len, reverse=True)
    assert {"ASS", "TC in"} < retired and wide == {"WPM 2"}


def test_the_field_has_every_class_and_the_first_test_entry_of_the_contract() -> None:
    field = build_field(80, 3, 1)
    assert len(field) == 80 and len({crew.number for crew in field}) == 80
    assert {crew.class_code for crew in field} == {code for code, _ in CLASSES}
    first = next(crew for crew in field if crew.number == 301)
    assert (first.class_code, first.make, first.model, first.year, first.cc) == (
        "C-2", "Toyota", "Land Cruiser 70", 1998, 4500,
    )  # fmt: skip
    assert len(first.devices) == 3
    imeis = [imei for crew in field for imei in crew.devices]
    assert len(set(imeis)) == len(imeis) and all(len(imei) == 15 for imei in imeis)


def test_the_field_meets_late_bursts_duplicates_and_disorder() -> None:
    field = build_field(20, 3, 1)
    sent = traffic(COURSE, field, 1, 1)
    seen = [(s.position.device_id, s.position.ts) for s in sent]
    assert len(seen) > len(set(seen))
    assert max(s.at - s.position.ts for s in sent) > 120_000
    arrivals = sorted((s.position.device_id, n, s.position.ts) for n, s in enumerate(sent))
    assert any(a[0] == b[0] and a[2] > b[2] for a, b in pairwise(arrivals))


@pytest.mark.parametrize("entries", [1, 4, 5, 12, 180])
def test_any_size_of_field_starts_in_order(entries: int) -> None:
    field = build_field(entries, 3, 1)
    assert len(field) == entries
    instants = list(starts(field, COURSE[0]).values())
    assert instants == sorted(instants)


def test_classes_by_sex_and_age_hold_their_people() -> None:
    ages = {"M-5": range(45, 56), "M-6": range(45, 56), "M-7": range(55, 70)}
    women = {"Besa", "Elira", "Mirela", "Anna", "Maria", "Eva", "Tereza", "Jana", "Klára", "Lena", "Silke", "Britta"}
    women |= {"Chloé", "Manon", "Inès", "Eleni", "Sofia", "Giulia", "Marta", "Chiara", "Ioana", "Alina", "Diana"}
    for crew in build_field(180, 3, 5):
        for person in crew.people:
            assert (FIRST_DAY - person.birth_date).days // 365 in ages.get(crew.class_code, range(20, 46))
            assert person.first_name in women or crew.class_code not in ("M-8", "Q-3")
