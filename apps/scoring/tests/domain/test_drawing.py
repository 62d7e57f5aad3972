"""The map of a penalty: to scale, with every fix where it lies, and labels that can be read."""

from dataclasses import replace
from math import hypot

import pytest

from apps.course.domain.controls import Control
from apps.scoring.domain.drawing import WIDTH, Drawing, Label, Sketch, draw
from apps.scoring.domain.scenes import Ends, Setting, scene
from apps.scoring.domain.tracks import TrackFix, at, closest, joined

LAT, LON = 41.0, 20.0
METRE = 1 / 111_195  # of latitude


def north(count: int = 30, step_m: float = 20.0, device: int = 0) -> list[TrackFix]:
    """A track due north, a fix each second."""
    return [TrackFix(device, n * 1000, LAT + n * step_m * METRE, LON, 72.0) for n in range(count)]


def drawn(sketch: Sketch) -> Drawing:
    found = draw(sketch)
    assert found is not None
    return found


def test_the_scale_is_that_of_the_fixes() -> None:
    """Protects the scale bar: two fixes 580 m apart are drawn so."""
    picture = drawn(Sketch(joined(north(), 10_000), ()))
    ends = [dot for dot in picture.dots if dot.fix.ts in (0, 29_000)]
    apart = hypot(ends[0].x - ends[1].x, ends[0].y - ends[1].y)
    assert apart * picture.scale_metres / picture.scale_units == pytest.approx(580, rel=0.005)
    assert ends[1].y < ends[0].y  # north is up


def test_every_fix_that_counts_is_inside_and_one_far_off_is_not_drawn() -> None:
    lost = replace(north()[3], lat=0.0, lon=0.0, counts=False, ts=99)
    picture = drawn(Sketch(joined([*north(), lost], 10_000), ()))
    assert len(picture.dots) == 30
    assert all(0 < dot.x < WIDTH and 0 < dot.y < picture.height for dot in picture.dots)


def test_kinds_of_fixes() -> None:
    fixes = joined([*north(), *north(5, device=1), replace(north()[7], counts=False)], 10_000)
    picture = drawn(Sketch(fixes, (), over=frozenset({4000, 5000})))
    kinds = [dot.kind for dot in picture.dots]
    assert (kinds.count("over"), kinds.count("other"), kinds.count("void")) == (2, 5, 1)


def test_labels_cover_neither_each_other_nor_the_edge() -> None:
    places = [(LAT, LON), (LAT, LON), (LAT + 29 * 20 * METRE, LON)]
    picture = drawn(Sketch(north(), (), labels=[Label("zone begins 12:03:04", "x", place) for place in places]))
    assert len({callout.at for callout in picture.callouts}) == 3
    assert all(0 < callout.at[1] < picture.height for callout in picture.callouts)


def test_nothing_to_draw() -> None:
    assert draw(Sketch((), ())) is None


def test_closest_approach_and_place_at_an_instant() -> None:
    fixes = joined(north(), 10_000)
    near = closest(fixes, Control.circle("w", LAT + 50 * METRE, LON + 100 * METRE / 0.7547, 30))
    assert near is not None
    assert near.metres == pytest.approx(100, abs=0.5) and near.ts == pytest.approx(2500, abs=10)
    assert at(fixes, 2500) == pytest.approx((LAT + 50 * METRE, LON))
    assert at(fixes, 60_000) is None


def test_a_gap_is_no_chord() -> None:
    fixes = joined([north()[0], north()[20]], 10_000)
    assert at(fixes, 10_000) is None


SETTING = Setting({"s": Ends("start", "finish", ("w",))}, {"z": ("dz", "fz")})


def test_a_long_zone_is_shown_around_what_was_too_fast() -> None:
    inputs = {"zone": "z", "intervals": [[0, 3_600_000]], "fixes": [1_800_000], "peak_ts": 1_800_000, "peak_kmh": 60}
    found = scene("speed_zone", inputs, SETTING)
    assert found.controls == ("dz", "fz") and found.stretches == ((1_770_000, 1_830_000),)


@pytest.mark.parametrize(
    ("type_", "inputs", "controls"),
    [
        ("maximum_time", {"segment": "s"}, ("start", "finish")),
        ("dnf_lump", {}, ("start", "w", "finish")),
        ("late_start", {"segment": "s", "actual_ts": 5}, ("start",)),
        ("neutralisation", {"segment": "s", "entered_ts": 5, "exit_ts": 9}, ("start", "finish")),
        ("time_control", {"control": "tc", "recorded_ts": 60_000}, ("tc",)),
        ("closed_control", {"waypoint": "w", "passed_ts": 5}, ("w",)),
        ("imposed", {}, ("start", "w", "finish")),
        ("missed_waypoint", {}, ("start", "w", "finish")),  # of an engine that froze fewer inputs
        ("speed_zone", {"zone": "z"}, ("start", "w", "finish")),
    ],
)
def test_the_controls_of_a_scene(type_: str, inputs: dict[str, object], controls: tuple[str, ...]) -> None:
    assert scene(type_, inputs, SETTING).controls == controls
