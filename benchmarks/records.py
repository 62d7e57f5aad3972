"""Records as a field of trackers sends them: 1 Hz, some twice, some late. The same for the same seed."""

import random
import time
from collections.abc import Iterator
from itertools import islice

from apps.common.position import Position

DEVICES = 2000
DUPLICATES, OUT_OF_ORDER = 0.03, 0.01
LATE_BY = 5000  # records
CHUNK = 10_000
SEED = 2026


def chunks(count: int) -> Iterator[list[Position]]:
    """`count` records, the last of them of about now, in lists of at most CHUNK."""
    records = drive(count, int(time.time()) * 1000 - count // DEVICES * 1000)
    while part := list(islice(records, CHUNK)):
        yield part


def drive(count: int, begin: int) -> Iterator[Position]:
    """`count` records from the instant `begin` (epoch ms) on."""
    rng = random.Random(SEED)
    late: dict[int, Position] = {}
    last = record(rng, 0, begin)
    for n in range(count):
        dice = rng.random()
        if n in late:
            last = late.pop(n)
        elif dice >= DUPLICATES:
            last = record(rng, n % DEVICES, begin + n // DEVICES * 1000)
        if dice > 1 - OUT_OF_ORDER and n + LATE_BY < count:
            late[n + LATE_BY] = last
            last = record(rng, n % DEVICES, begin + n // DEVICES * 1000 + 500)
        yield last


def record(rng: random.Random, device: int, ts: int) -> Position:
    """A fix somewhere in Albania, with the IO elements an FMB920 sends."""
    bag = {"239": 1, "240": 1, "21": 4, "200": 0, "69": 1, "181": 9, "182": 6, "67": 4012}
    speed = rng.randint(0, 120)
    bag |= {"66": rng.randint(12_000, 14_500), "16": rng.randint(0, 9_000_000), "24": speed, "1": 0}
    lat, lon = 41.0 + rng.random(), 19.5 + rng.random()
    return Position(f"3560930{device:08d}", ts, lat, lon, 812, 90, speed, 11, 0, "8E", bag)
