"""`manage.py analyse_track`: a course proved with a recorded track, without any database."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.course.tests.domain.metres import degrees

ROOT = Path(__file__).resolve().parents[3]
TRACKS = ROOT.parent / "shared" / "data" / "tracks"
FLIGHT = TRACKS / "light-aircraft-1hz.gpx"
RIDE = TRACKS / "lake-ride-sparse.gpx"
NEEDS_TRACKS = pytest.mark.skipif(not TRACKS.exists(), reason=f"the recorded tracks are not here: {TRACKS}")
CENTRE = (41.3, 20.1)


def point(name: str, at: tuple[float, float], radius_m: float | None, **properties: Any) -> dict[str, Any]:
    known = {"name": name, **({} if radius_m is None else {"radius_m": radius_m}), **properties}
    return {"type": "Feature", "properties": known, "geometry": {"type": "Point", "coordinates": [at[1], at[0]]}}


def line(name: str, ends: list[list[float]], **properties: Any) -> dict[str, Any]:
    geometry = {"type": "LineString", "coordinates": ends}
    return {"type": "Feature", "properties": {"name": name, **properties}, "geometry": geometry}


def area(name: str, ring: list[list[float]], **properties: Any) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"name": name, **properties}, "geometry": geometry}


def course(folder: Path, *features: Any) -> Path:
    path = folder / "course.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


def gpx(folder: Path, points: list[tuple[float, float]], step_s: int = 1) -> Path:
    times = [f"2026-06-07T08:{n * step_s // 60:02}:{n * step_s % 60:02}Z" for n in range(len(points))]
    rows = "".join(
        f'<trkpt lat="{lat!r}" lon="{lon!r}"><time>{at}</time></trkpt>'
        for at, (lat, lon) in zip(times, points, strict=True)
    )
    path = folder / "track.gpx"
    path.write_text(f'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{rows}</trkseg></trk></gpx>')
    return path


def analyse(course_file: Path, track: Path) -> dict[str, Any]:
    out = io.StringIO()
    call_command("analyse_track", course_file, track, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.mark.parametrize(
    ("offset_m", "along_m", "validated"),
    [
        (22, (-21.0, 9.556), True),
        (28, (-15.278, 15.278), True),
        (30.01, (-15.278, 15.278), False),
        (30.0, (-15.278, 15.278), True),
    ],
)
def test_worked_example_6_from_a_gpx_file(
    tmp_path: Path, offset_m: float, along_m: tuple[float, float], validated: bool
) -> None:
    """Rulebook §10 example 6: a 30 m circle passed at 110 km/h and 1 Hz, both fixes outside in case (b)."""
    track = gpx(tmp_path, [degrees(CENTRE, x, offset_m) for x in along_m])
    found = analyse(course(tmp_path, point("WPS 1", CENTRE, 30, type="WPS", order=1)), track)
    assert bool(found["crossings"]) is validated
    assert [row["control"] for row in found["missed"]] == ([] if validated else ["WPS 1"])
    if offset_m == 28:
        enter, leave = found["crossings"]
        assert (enter["direction"], leave["direction"]) == ("enter", "leave")
        assert enter["fraction"] == pytest.approx(0.148, abs=0.0005)
        assert enter["min_distance_m"] == pytest.approx(28, abs=0.001)
        assert enter["ts"] == "2026-06-07T08:00:00.148Z"


TOWN = [[10.64, 60.865], [10.68, 60.865], [10.68, 60.875], [10.64, 60.875], [10.64, 60.865]]


@NEEDS_TRACKS
def test_a_recorded_flight_against_times_worked_out_by_hand(tmp_path: Path) -> None:
    """Start gate on the meridian 10.8462, fixes 13:44:20 lon 10.8465182 and 13:44:21 lon 10.8460218: 0.3182 / 0.4964
    = 0.641. Finish gate on the parallel 60.6825, fixes 14:09:23 lat 60.6825035 and 14:09:24 lat 60.6821804:
    0.0035 / 0.3231 = 0.011. The time between: 25:02.370, truncated to the second.
    """
    features = [
        line("start", [[10.8462, 60.927], [10.8462, 60.929]], type="start", order=1, bearing=270),
        point("WP1", (60.8703547, 10.6608714), 90, type="WPM", order=2),
        point("WP2", (60.80, 10.60), 30, type="WPS", order=3),
        area("town", TOWN, speed_limit_kmh=240),
        line("finish", [[10.908, 60.6825], [10.9105, 60.6825]], type="finish", order=9),
    ]  # fmt: skip
    found = analyse(course(tmp_path, *features), FLIGHT)
    [segment] = found["segments"]
    assert (segment["start"], segment["finish"]) == ("2021-03-23T13:44:20.641Z", "2021-03-23T14:09:23.011Z")
    assert (segment["raw_ms"], segment["time_ms"]) == (1_502_370, 1_502_000)
    assert [row["control"] for row in found["missed"]] == ["WP2"]
    [zone] = found["zones"]
    # The fixes from 13:56:38 to 13:57:10 lie inside: 33 of them.
    assert zone["fixes"] == 33 and zone["peak_kmh"] > 250 and 0 < zone["fixes_over"] < 33
    assert found["gaps"] == []


@NEEDS_TRACKS
def test_the_gate_counts_in_its_direction_only(tmp_path: Path) -> None:
    gate = line("gate", [[10.8462, 60.927], [10.8462, 60.929]], bearing=90)
    assert analyse(course(tmp_path, gate), FLIGHT)["crossings"] == []


@NEEDS_TRACKS
def test_a_sparse_ride_gives_gaps_where_a_dense_one_would_give_crossings(tmp_path: Path) -> None:
    """The ride's fixes lie up to minutes apart: what they jump over is said, not invented."""
    whole_lake = area("lake", [[14.29, 45.74], [14.35, 45.74], [14.35, 45.79], [14.29, 45.79], [14.29, 45.74]])
    found = analyse(course(tmp_path, whole_lake), RIDE)
    assert found["gaps"] and all(gap["controls"] == ["lake"] for gap in found["gaps"])


def test_a_long_gap_is_no_crossing(tmp_path: Path) -> None:
    track = gpx(tmp_path, [degrees(CENTRE, -200, 0), degrees(CENTRE, 200, 0)], step_s=11)
    found = analyse(course(tmp_path, point("WP", CENTRE, 30)), track)
    assert found["crossings"] == []
    assert found["gaps"] == [{"from": "2026-06-07T08:00:00.000Z", "to": "2026-06-07T08:00:11.000Z", "controls": ["WP"]}]


def test_an_impossible_jump_is_suspicious_and_kept(tmp_path: Path) -> None:
    track = gpx(tmp_path, [degrees(CENTRE, x, y) for x, y in ((0, 0), (10, 0), (20, 9000), (30, 0), (40, 0))])
    assert analyse(course(tmp_path, point("WP", CENTRE, 30)), track)["suspicious"] == ["2026-06-07T08:00:02.000Z"]


def test_the_text_names_everything(tmp_path: Path) -> None:
    out = io.StringIO()
    track = gpx(tmp_path, [degrees(CENTRE, x, 0) for x in range(-100, 101, 20)])
    call_command("analyse_track", course(tmp_path, point("WP", CENTRE, 30, type="WPM")), track, stdout=out)
    assert "Crossings: 2" in out.getvalue() and "Missed waypoints: none" in out.getvalue()


SQUARE = [[20.0, 41.0], [20.1, 41.0], [20.1, 41.1], [20.0, 41.1], [20.0, 41.0]]


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        ([point("WP", CENTRE, None)], "feature 1 'WP': radius_m"),
        ([point("WP", CENTRE, "wide")], "feature 1 'WP': radius_m"),  # type: ignore[arg-type]
        ([point("WP", CENTRE, -3)], "feature 1 'WP'.*radius"),
        ([point("WP", (91.0, 20.0), 30)], "feature 1 'WP': geometry.*not on Earth"),
        ([area("A", SQUARE), area("A", SQUARE)], "feature 2 'A': name"),
        ([area("A", [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]])], "feature 1 'A': geometry.*[Ss]elf-intersection"),
        ([line("G", [[20, 41], [20, 41]])], "feature 1 'G': geometry"),
        ([line("G", [[20, 41], [20, 41.1]], bearing=700)], "feature 1 'G': geometry.*bearing"),
        ([], "features"),
    ],
)
def test_a_faulty_course_is_named_by_file_feature_field_and_reason(
    tmp_path: Path, features: list[Any], reason: str
) -> None:
    with pytest.raises(CommandError, match=rf"(?s)course.geojson: .*{reason}"):
        analyse(course(tmp_path, *features), gpx(tmp_path, [CENTRE, CENTRE]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<gpx>", "track.gpx: not readable as XML"),
        ("<kml/>", "track.gpx: no GPX"),
        ("<gpx><trk/></gpx>", "no track point with a time"),
        ('<gpx><trkpt lat="x" lon="1"><time>2026-06-07T08:00:00Z</time></trkpt></gpx>', "track point 1"),
        ('<gpx><trkpt lat="41" lon="20"><time>2026-06-07T08:00:00</time></trkpt></gpx>', "no time zone"),
        ('<gpx><trkpt lon="20"><time>2026-06-07T08:00:00Z</time></trkpt></gpx>', "track point 1: attribute 'lat'"),
        ('<!DOCTYPE g [<!ENTITY a "b">]><gpx>&a;</gpx>', "document types and entities are refused"),
    ],
)  # fmt: skip
def test_a_faulty_track_is_named_by_file_point_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    track = tmp_path / "track.gpx"
    track.write_text(text)
    with pytest.raises(CommandError, match=reason):
        analyse(course(tmp_path, point("WP", CENTRE, 30)), track)


def test_it_runs_without_any_server(tmp_path: Path) -> None:
    """Organisers prove a course on a laptop on which nothing is installed or running."""
    track = gpx(tmp_path, [degrees(CENTRE, x, 0) for x in range(-100, 101, 20)])
    nothing = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run(
        [sys.executable, "manage.py", "analyse_track", course(tmp_path, point("WP", CENTRE, 30)), track, "--json"],
        cwd=ROOT,
        env=nothing | {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(json.loads(done.stdout)["crossings"]) == 2
