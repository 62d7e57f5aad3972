"""What detection has read must answer for the speed zones as the database would."""

import random
from dataclasses import asdict

import numpy as np
import pytest
from redis import Redis

from apps.common import stream
from apps.course.domain.fixes import Fixes
from apps.scoring import fix_queries, queries, services
from apps.scoring.detection import sliced
from apps.scoring.fix_queries import Span
from apps.scoring.held_fixes import HeldFixes
from apps.scoring.plans import event_plan
from apps.scoring.queries import Unit
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor

pytestmark = pytest.mark.django_db(transaction=True)
START = int(rally.START.timestamp() * 1000)


@pytest.fixture
def built(redis: Redis) -> rally.Rally:
    made = rally.build(entries=3)
    stream.send(redis, "telemetry:t", rally.drive(made, random.Random(5)))
    processor(redis).run_until_idle()
    return made


def units(built: rally.Rally) -> list[Unit]:
    plan = event_plan(str(built.event.id))
    return services.assigned_units(plan, queries.event_entries(plan.event), plan.stages)


def held(of: list[Unit]) -> HeldFixes:
    fixes = HeldFixes()
    for some in sliced(of):
        fixes.keep(some, fix_queries.unit_fixes(some))
    return fixes


def assert_same(fixes: HeldFixes, spans: list[Span]) -> None:
    got, wanted = asdict(fixes.spans(spans)), asdict(fix_queries.span_fixes(spans))
    assert len(wanted["ts"]) > 0
    for name, column in wanted.items():
        assert np.array_equal(got[name], column, equal_nan=True)
        assert got[name].dtype == column.dtype


def test_it_answers_as_the_database_does(built: rally.Rally) -> None:
    """Spans that touch, one twice, one of nothing, by codes in no order; both ends belong to a span."""
    rng = random.Random(11)
    at = [START + rng.randrange(-5, 400) * 1000 for _ in range(40)]
    spans = [(rng.randrange(4), rng.choice(built.imeis), low, low + rng.randrange(60) * 1000) for low in at]
    whole = (5, built.imeis[0], START - 5_000, START + 400_000)
    nothing = (6, built.imeis[1], START - 90_000, START - 80_000)
    assert_same(held(units(built)), [*spans, whole, whole, nothing])


def test_what_it_does_not_hold_whole_comes_from_the_database(built: rally.Rally) -> None:
    """A window that ends within the span, a device that was not looked at: taking what is there would be a half."""
    first, *_others = units(built)
    cut = Unit(first.entry, first.event, first.device, START, START + 60_000, first.low, first.high)
    fixes = HeldFixes()
    fixes.keep([cut], fix_queries.unit_fixes([cut]))
    reaching_out = [(0, device, START + 30_000, START + 90_000) for device in built.imeis]
    assert_same(fixes, reaching_out)


def test_of_two_windows_of_a_device_the_one_that_holds_the_span_answers(built: rally.Rally) -> None:
    first, *_others = units(built)
    parts = [
        Unit(first.entry, first.event, first.device, low, low + 59_999, first.low, first.high)
        for low in (START, START + 60_000)
    ]
    fixes = HeldFixes()
    for part in parts:
        fixes.keep([part], fix_queries.unit_fixes([part]))
    assert_same(fixes, [(n, first.device, p.from_ts + 7_000, p.to_ts) for n, p in enumerate(parts)])


def test_a_rescore_reads_the_fixes_of_zones_no_second_time(built: rally.Rally, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Span] = []

    def ask(spans: list[Span]) -> Fixes:
        asked.extend(spans)
        return fix_queries.span_fixes(spans)

    monkeypatch.setattr("apps.scoring.held_fixes.span_fixes", ask)
    list(services.score_again(services.Again(str(built.event.id))))
    assert asked == []
    assert rally.readings()
    monkeypatch.setattr("apps.scoring.held_fixes.AT_MOST", 10)
    before = rally.readings()
    list(services.score_again(services.Again(str(built.event.id))))
    assert asked
    assert rally.readings() == before
