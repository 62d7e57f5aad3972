"""Processor and scorer for tests, quick to take over from each other."""

import random

from redis import Redis

from apps.common import stream
from apps.scoring.tests import rally
from apps.scoring.tests.rally import Rally
from apps.scoring.worker import Scorer, ScorerPace
from apps.telemetry.services import Pace, Processor


def processor(redis: Redis, name: str = "processor-1", batch: int = 400) -> Processor:
    return Processor(redis, ["telemetry:t"], name, Pace(batch=batch, block_ms=1, claim_after_ms=200, max_deliveries=20))


def scorer(redis: Redis, name: str = "scorer-1", batch: int = 3) -> Scorer:
    return Scorer(redis, name, ScorerPace(batch=batch, block_ms=1, claim_after_ms=200, max_deliveries=20))


def race(redis: Redis, built: Rally) -> Rally:
    """The rally driven, the same each time, and scored."""
    stream.send(redis, "telemetry:t", rally.drive(built, random.Random(7)))
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()
    return built
