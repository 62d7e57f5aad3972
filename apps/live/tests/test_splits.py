"""Split times on their own: which controls count, and what the clock said there."""

from apps.live.splits import Control, Point, Span, points, splits

COURSE = [
    Control("s", "DSS", "DSS", "one"),
    Control("a", "WP 1", "WPM", "one", 60_000),
    Control("dn", "DN", "DN", "one", 60_000),
    Control("in", "WP 2", "WPM", "one", 60_000),
    Control("fn", "FN", "FN", "one", 60_000),
    Control("f", "ASS", "ASS", "one", 60_000),
    Control("b", "WP 3", "WPM", "two"),
]


def test_no_time_is_taken_at_the_start_or_inside_a_neutralisation() -> None:
    found = points(COURSE)
    assert [point.id for point in found] == ["a", "dn", "fn", "f", "b"]
    assert [point.neutralised_ms for point in found] == [0, 0, 60_000, 60_000, 0]


def test_after_a_neutralisation_the_clock_is_put_back() -> None:
    """The finish is the time by the rules, the second special stage goes on from there."""
    spans = {"one": Span(1_000_000, 1_300_000, 238_000), "two": Span(2_000_000)}
    arrivals = {"a": 1_050_000, "dn": 1_100_000, "fn": 1_160_000, "b": 2_030_000}
    assert splits(points(COURSE), spans, arrivals, 9_000_000) == [50_000, 100_000, 100_000, 238_000, 268_000]


def test_nothing_after_the_horizon_or_before_the_start() -> None:
    point = [Point("a", "WP 1", "one")]
    assert splits(point, {"one": Span(1000)}, {"a": 5000}, 5000) == [4000]
    assert splits(point, {"one": Span(1000)}, {"a": 5000}, 4999) == [None]
    assert splits(point, {"one": Span(6000)}, {"a": 5000}, 9000) == [None]
    assert splits(point, {}, {"a": 5000}, 9000) == [None]
