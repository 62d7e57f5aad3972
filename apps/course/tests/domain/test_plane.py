"""The tangent plane against published distances of the WGS 84 ellipsoid."""

import numpy as np
import pytest

from apps.course.domain.plane import Plane, distance_m, unwrapped


@pytest.mark.parametrize(
    ("lat", "degree_north_m", "degree_east_m"),
    [(0, 110_574, 111_320), (45, 111_132, 78_847), (60, 111_412, 55_800), (80, 111_660, 19_394)],
)
def test_lengths_of_a_degree(lat: float, degree_north_m: float, degree_east_m: float) -> None:
    """Lengths of a degree of latitude and longitude as in any table of the ellipsoid, here by a hundredth of it."""
    plane = Plane(lat, 20.0)
    _, north = plane.project([lat + 0.005, lat - 0.005], [20.0, 20.0])
    east, _ = plane.project([lat, lat], [20.005, 19.995])
    assert (north[0] - north[1]) * 100 == pytest.approx(degree_north_m, abs=2)
    assert (east[0] - east[1]) * 100 == pytest.approx(degree_east_m, abs=2)


def test_the_date_line_is_no_line() -> None:
    east, north = Plane(-17.0, 180.0).project([-17.0, -17.0], [179.999, -179.999])
    assert east[0] == pytest.approx(-east[1]) and abs(east[1]) == pytest.approx(106.5, abs=0.5)
    assert np.allclose(north, 0, atol=0.01)
    assert unwrapped([179.9, -179.9], 180.0).tolist() == pytest.approx([179.9, 180.1])


def test_distances() -> None:
    """Tirana to Durrës by the published coordinates, 31.8 km by any great-circle calculator."""
    assert distance_m(41.3275, 19.8187, 41.3231, 19.4414)[0] == pytest.approx(31_560, rel=0.005)
