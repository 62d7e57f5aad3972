"""Recorded positions at a speed of one's own."""

import time
from collections.abc import Iterable, Iterator

from apps.common.position import Position

BATCH = 1000


def paced(positions: Iterable[Position], speed: float) -> Iterator[list[Position]]:
    """Batches, at `speed` recorded seconds a second; 0 = at once."""
    began, first = time.monotonic(), None
    batch: list[Position] = []
    for position in positions:
        first = position.ts if first is None else first
        wait = (position.ts - first) / 1000 / speed - (time.monotonic() - began) if speed else 0.0
        if wait > 0 or len(batch) == BATCH:
            yield batch
            batch = []
            time.sleep(max(0.0, wait))
        batch.append(position)
    yield batch
