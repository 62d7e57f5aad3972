"""The pages' pure modules, asked one by one in Debian's Chromium."""

from typing import Any

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

ORIGIN = "http://modules.test"
TWO_CREWS = {
    "controls": [{"name": "WP 1"}, {"name": "WP 2"}],
    "entries": {"a": {"splits": [1000, 3000]}, "b": {"splits": [900, None]}, "c": {"penalties": [{"pending": True}]}},
}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    """A page of an origin that gives nothing but our modules."""
    made = browser.new_page()

    def give(route: Route) -> None:
        found = finders.find(f"live/{route.request.url.removeprefix(ORIGIN)}".replace("//", "/"))
        if route.request.url == f"{ORIGIN}/":
            route.fulfill(body="<!doctype html>", content_type="text/html")
        elif found:
            route.fulfill(path=str(found), content_type="text/javascript")
        else:
            route.abort()

    made.route(f"{ORIGIN}/**", give)
    made.goto(f"{ORIGIN}/")
    return made


def ask(page: Page, module: str, expression: str, given: Any = None) -> Any:
    """The value of an expression with the module as `m` and what is given as `x`."""
    return page.evaluate(f"async (x) => {{ const m = await import('/{module}'); return {expression}; }}", given)


def test_gaps_and_ranks_at_a_control_are_among_those_shown(page: Page) -> None:
    rows = ask(page, "splits.mjs", "m.splitRows(x, 'a', ['a', 'b'])", TWO_CREWS)
    assert rows == [
        {"name": "WP 1", "ms": 1000, "gap": 100, "rank": 2},
        {"name": "WP 2", "ms": 3000, "gap": 0, "rank": 1},
    ]
    alone = ask(page, "splits.mjs", "m.splitRows(x, 'a', ['a'])", TWO_CREWS)
    assert [row["rank"] for row in alone] == [1, 1]


def test_a_penalty_that_is_not_confirmed_is_pending(page: Page) -> None:
    assert ask(page, "splits.mjs", "m.isPending(x, 'c')", TWO_CREWS) is True


CREWS = (
    "(() => { const c = new m.Crews(x); for (const crew of x) c.place({ ...crew, lat: 41, lon: 20, ts: 1 });"
    " c.followed = 'e2'; %s return [c.points(2), c.apartPoints(2)]"
    ".map((of) => of.features.map((f) => f.properties.number)); })()"
)


def test_few_crews_stand_apart_and_many_make_clusters(page: Page) -> None:
    """Two crews are compared by their numbers; the one that is followed is drawn last."""
    crews = [
        {"entryId": f"e{n}", "raceNumber": n, "crew": f"Crew {n}", "vehicle": "", "classCode": "M-1"}
        for n in range(1, 31)
    ]
    many, apart = ask(page, "map/crews.mjs", CREWS % "", crews)
    assert len(many) == 29 and apart == [2]
    assert ask(page, "map/crews.mjs", CREWS % "c.chosen.text = '12, 7';", crews) == [[], [7, 12, 2]]
    assert ask(page, "map/crews.mjs", CREWS % "c.chosen.text = 'crew 3';", crews) == [[], [3, 30, 2]]


def test_a_trail_begins_before_the_page_was_opened(page: Page) -> None:
    way = (
        "(() => { const c = new m.Crews([]);"
        " for (const ts of [400, 500]) c.place({ entryId: 'a', raceNumber: 1, lat: 41, lon: 20, ts });"
        " c.comeFrom('a', x); c.comeFrom('b', x); return c.of('a').trail.map(([, , ts]) => ts); })()"
    )
    assert ask(page, "map/crews.mjs", way, [[20, 41, ts] for ts in (100, 300, 400, 600)]) == [100, 300, 400, 500]


PACKED = {
    "step": 10_000,
    "entries": {
        "a": {"t0": 1_000_000, "t": [0, 100, 100, 6000], "lat": [4_130_000, 100, 100, 0], "lon": [1_990_000, 0, 0, 0],
              "start": 1_000_000, "finish": 1_018_000}
    },
}  # fmt: skip
AT = "(() => { const t = m.unpack(x).get('a'); return m.positionAt(t, %s, 10000); })()"


def test_a_track_is_unpacked_and_read_between_its_fixes(page: Page) -> None:
    between = ask(page, "map/tracks.mjs", AT % 1_005_000, PACKED)
    assert between["lat"] == pytest.approx(41.3005) and between["course"] == pytest.approx(0)
    assert between["speed"] == pytest.approx(40, abs=0.2)  # 111 m in 10 s
    assert ask(page, "map/tracks.mjs", AT % 999_999, PACKED) is None


def test_a_crew_stays_where_it_finished(page: Page) -> None:
    found = ask(page, "map/tracks.mjs", AT % 5_000_000, PACKED)
    assert found["finished"] and found["lat"] == pytest.approx(41.3018) and found["speed"] == 0


def test_nobody_is_shown_driving_through_a_gap(page: Page) -> None:
    gap = {**PACKED, "entries": {"a": {**PACKED["entries"]["a"], "finish": None}}}  # type: ignore[index]
    assert ask(page, "map/tracks.mjs", AT % 1_300_000, gap)["lat"] == pytest.approx(41.302)


PARTS = [{"low": 1000, "high": 1600, "longest": 500}, {"low": 5000, "high": 5300, "longest": 200}]


@pytest.mark.parametrize(
    ("at", "aligned", "expected"),
    [
        (0, False, {"n": 0, "since": 0}),
        (599, False, {"n": 0, "since": 599}),
        (600, False, {"n": 1, "since": 0}),
        (900, False, {"n": 1, "since": 300}),
        (600, True, {"n": 1, "since": 100}),
    ],
)
def test_stages_are_played_one_after_the_other(page: Page, at: int, aligned: bool, expected: dict[str, int]) -> None:
    """The night between them takes no time."""
    assert ask(page, "map/tracks.mjs", f"m.placeIn(x, {str(aligned).lower()}, {at})", PARTS) == expected
    assert ask(page, "map/tracks.mjs", "[m.lengthOf(x, false), m.lengthOf(x, true)]", PARTS) == [900, 700]


@pytest.mark.parametrize(
    ("value", "text"),
    [(20.0, "20°E"), (-0.5, "0°30′W"), (19 + 52 / 60, "19°52′E"), (180.5, "179°30′W"), (0.01, "0°00′36″E")],
)
def test_degrees_are_written_as_on_a_chart(page: Page, value: float, text: str) -> None:
    assert ask(page, "map/graticule.mjs", "m.degrees(x, 'E', 'W')", value) == text


def test_a_graticule_has_some_lines_at_every_scale(page: Page) -> None:
    for span in (360, 40, 1.3, 0.05, 0.002):
        step = ask(page, "map/graticule.mjs", "m.stepFor(x)", span)
        assert 3 <= span / step < 13 or span < 0.005


def test_numbers_can_be_read_on_their_class_colour(page: Page) -> None:
    assert ask(page, "map/images.mjs", "['#f0e442', '#0072b2'].map(m.inkOn)") == ["#10161d", "#ffffff"]


def test_race_control_sorts_by_urgency_and_alarms_by_age(page: Page) -> None:
    lines = [
        {"raceNumber": 2, "attention": 1, "sos": None, "state": "moving", "sweep": 2},
        {"raceNumber": 3, "attention": 0, "sos": {"ts": 20, "seenAt": None}, "state": "stopped", "sweep": 1},
        {"raceNumber": 1, "attention": 9, "sos": {"ts": 5, "seenAt": 9}, "state": "idle", "sweep": None},
        {"raceNumber": 4, "attention": 0, "sos": {"ts": 10, "seenAt": None}, "state": "silent", "sweep": 3},
    ]
    numbers = "(name) => m[name](x).map((line) => line.raceNumber)"
    assert ask(page, "control_lines.mjs", f"['alarms', 'watched', 'sweep'].map({numbers})", lines) == [
        [4, 3],
        [3, 4, 2],
        [3, 2, 4],
    ]
