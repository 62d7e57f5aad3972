"""What proves an exit of FN are fixes that change no crossing: they are scored all the same (rulebook 8.1)."""

import random

import pytest
from redis import Redis

from apps.common import stream
from apps.course.factories import SegmentFactory, WaypointFactory
from apps.course.models import Stage
from apps.scoring.models import StageResult
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor, scorer

pytestmark = pytest.mark.django_db(transaction=True)


def neutralised() -> rally.Rally:
    """DN at 3.2 km, FN at 3.5 km, 60 s allotted."""
    built = rally.build(entries=1)
    segment = SegmentFactory(
        stage=Stage.objects.get(id=built.stage_id), type="neutralisation", sort_order=9_000, neutralised_seconds=60
    )
    for order, (type_, metres) in enumerate([("DN", 3200), ("FN", 3500)]):
        where = {"latitude": rally.LAT, "longitude": rally.LON + metres / rally.DEGREE_M}
        WaypointFactory(segment=segment, type=type_, tolerance_meters=60, sort_order=order, **where)
    return built


def exit_ts(built: rally.Rally) -> int | None:
    outcome = StageResult.objects.get(entry=built.entries[0]).outcome
    found: int | None = outcome["segments"][1]["finish_ts"]
    return found


def test_the_third_fix_outside_proves_the_exit_whenever_it_comes(redis: Redis) -> None:
    built = neutralised()
    fixes = rally.drive(built, random.Random(7))
    edge = rally.LON + 3560 / rally.DEGREE_M
    first = next(n for n, fix in enumerate(fixes) if fix.longitude > edge)

    def come(*some: int) -> None:
        stream.send(redis, "telemetry:t", [fixes[n] for n in some])
        processor(redis).run_until_idle()
        scorer(redis).run_until_idle()

    come(*range(first + 1))
    assert exit_ts(built) is None
    come(first + 1)
    assert exit_ts(built) is None
    come(first + 2)
    left = exit_ts(built)
    assert left is not None and fixes[first - 1].ts < left <= fixes[first].ts
    come(*range(first + 3, len(fixes)))
    step_by_step = rally.readings()
    rally.forget()
    come(*random.Random(8).sample(range(len(fixes)), len(fixes)))
    assert rally.readings() == step_by_step


def test_a_late_fix_among_few_makes_drift_an_exit(redis: Redis) -> None:
    """Two fixes outside and one inside again are drift, until the one between them is uploaded."""
    built = neutralised()
    fixes = rally.drive(built, random.Random(7))
    edge = rally.LON + 3560 / rally.DEGREE_M
    first = next(n for n, fix in enumerate(fixes) if fix.longitude > edge)
    back = [
        type(fix)(fix.device_id, fix.ts, fix.latitude, rally.LON + 3500 / rally.DEGREE_M, speed=0, satellites=11)
        for fix in fixes[first + 3 : first + 30]
    ]
    record = [*fixes[: first + 3], *back]
    late = record.pop(first + 1)
    stream.send(redis, "telemetry:t", record)
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()
    assert exit_ts(built) is None
    stream.send(redis, "telemetry:t", [late])
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()
    assert exit_ts(built) is not None
