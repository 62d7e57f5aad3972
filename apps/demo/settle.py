"""Works off what an earlier run left in the streams, before the demo takes its own rows away.

Nothing is dropped: on a server that others use too, the streams hold their fixes beside the demo's.
"""

import redis
from django.conf import settings

from apps.common import stream
from apps.scoring.worker import Scorer, ScorerPace
from apps.telemetry.services import Pace, Processor

CONSUMER = "demo"
BATCH = 1000
BLOCK_MS = 1
CLAIM_AFTER_MS = 1000  # what a killed demo's processes took and left


def settle(client: redis.Redis) -> None:
    """Returns when both groups have nothing left to read, and nothing that a dead consumer holds."""
    names = stream.streams(settings.REDIS_TELEMETRY_STREAM)
    most = settings.MAX_DELIVERIES
    for worker in (
        Processor(client, names, CONSUMER, Pace(BATCH, BLOCK_MS, CLAIM_AFTER_MS, most)),
        Scorer(client, CONSUMER, ScorerPace(BATCH, BLOCK_MS, CLAIM_AFTER_MS, most)),
    ):
        worker.run_until_idle()
        worker.finish()
