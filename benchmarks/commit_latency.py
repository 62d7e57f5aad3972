"""From the stream to the commit at a race's own pace: 500 trackers at 1 Hz, evenly spread over each second.

Measured without a look at PostgreSQL, which would cost time itself: the processor announces a batch right after its
commit, so the id of the announcement (the clock of Redis, ms) less the id of the record in the stream (the same
clock) is how long the record took to be committed, and a little more.
"""

import random
import time
from dataclasses import dataclass

import msgspec
import redis

from apps.common import embedded, stream
from apps.common.position import decode
from benchmarks.processes import STREAM, empty, end, start, wait
from benchmarks.records import SEED, record

TRACKERS = 500
WARM_UP_S = 2


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from XADD until after the commit."""

    p50_ms: int
    p99_ms: int


def latency(client: redis.Redis, urls: embedded.Urls, seconds: int) -> Latency:
    """Send for `seconds` and a warm-up that does not count, to one processor."""
    group = empty(urls, client)
    child = start(urls, "latency")
    wait([child], lambda: bool(client.xinfo_consumers(STREAM, stream.PROCESSOR_GROUP)))
    send_live(client, seconds + WARM_UP_S)
    wait([child], lambda: group.lag() == 0)
    end(child)
    waits = sorted(waited(client)[WARM_UP_S * TRACKERS :])
    if len(waits) != seconds * TRACKERS:
        raise SystemExit(f"{len(waits)} records are announced, {seconds * TRACKERS} were sent")
    return Latency(waits[len(waits) // 2], waits[len(waits) * 99 // 100])


def send_live(client: redis.Redis, seconds: int) -> None:
    rng = random.Random(SEED)
    first = int(time.time()) * 1000
    begin = time.perf_counter()
    for n in range(seconds * TRACKERS):
        second, tracker = divmod(n, TRACKERS)
        time.sleep(max(0.0, begin + n / TRACKERS - time.perf_counter()))
        stream.send(client, STREAM, [record(rng, tracker, first + second * 1000)])


def waited(client: redis.Redis) -> list[int]:
    """How long each announced record took, in the order they were sent."""
    sent = {}
    for message in stream.entries(client, STREAM):
        position = decode(message.fields)
        sent[position.device_id, position.ts] = milliseconds(message.id)
    announced: dict[tuple[str, int], int] = {}
    for message in stream.entries(client, stream.REQUESTS_STREAM):
        for device, low, high in msgspec.json.decode(message.fields[b"windows"]):
            for ts in range(low, high + 1, 1000):
                announced.setdefault((device, ts), milliseconds(message.id))
    return [announced[key] - instant for key, instant in sent.items() if key in announced]


def milliseconds(id: bytes) -> int:
    return int(id.partition(b"-")[0])
