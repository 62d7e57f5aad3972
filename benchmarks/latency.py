"""From the commit of a fix to its changed result on the outbox, with the real scorer running."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from apps.common import embedded, stream
from apps.common.position import Position
from apps.course.models import Waypoint
from apps.telemetry.pipeline import windows_of
from apps.telemetry.queries import write_positions

ROOT = Path(__file__).resolve().parents[1]
BATCHES_A_SECOND = 10

# New rows of a topic, and each line's entry and the control it names as the last.
NEW_LINES = """
    select o.id, line->>'entryId', line->>'lastControl'
    from outbox o, jsonb_array_elements(o.payload->'changes') line
    where o.topic like %s and o.id > %s order by o.id
"""

# Which fix made which entry pass which waypoint for the first time.
PASSED = """
    select distinct on (c.entry_id, c.control) c.entry_id::text, c.control::text, c.device, c.after_ts
    from entry_crossings c join waypoints w on w.id = c.control
    where c.direction = 'enter' order by c.entry_id, c.control, c.ts
"""


@dataclass
class Watch:
    """Notes when each (entry, control) was first on a stage's board."""

    urls: embedded.Urls
    stage: str
    seen: dict[tuple[str, str], float] = field(default_factory=dict)
    _last: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with stream.connect(self.urls.redis) as client, client.pubsub() as news:
            news.subscribe(stream.OUTBOX_CHANNEL)
            with psycopg.connect(self.urls.database, autocommit=True) as connection:
                while not self._over.is_set():
                    if news.get_message(timeout=0.2):
                        self._note(connection)

    def end(self) -> None:
        self._over.set()

    def _note(self, connection: psycopg.Connection) -> None:
        rows = connection.execute(NEW_LINES, (f"%{self.stage}", self._last)).fetchall()
        at = time.perf_counter()
        for number, entry, control in rows:
            self.seen.setdefault((entry, control), at)
            self._last = number


def measure(urls: embedded.Urls, stage: str, ticks: Sequence[Sequence[Position]]) -> list[float]:
    """Milliseconds of each result that a passed waypoint changed, while all ticks are sent at the pace they came."""
    watch = Watch(urls, stage)
    thread = threading.Thread(target=watch.run)
    scorer = subprocess.Popen([sys.executable, "manage.py", "run_scorer"], cwd=ROOT, env=os.environ)
    thread.start()
    try:
        with stream.connect(urls.redis) as client:
            _await_scorer(client)
            committed = _send(client, ticks)
            time.sleep(2)
    finally:
        watch.end()
        thread.join()
        scorer.terminate()
        scorer.wait()
    return list(_latencies(urls, committed, watch.seen))


def _await_scorer(client: redis.Redis) -> None:
    """Until the scorer has taken its first message; it knows nothing of the device named."""
    stream.announce(client, [("0", 0, 0)])
    group = stream.Group(client, stream.REQUESTS_STREAM, stream.SCORER_GROUP, "watch")
    group.ensure()
    while group.lag():
        time.sleep(0.05)


def _send(client: redis.Redis, ticks: Sequence[Sequence[Position]]) -> dict[tuple[str, int], float]:
    """Store and announce as the processor does, a tenth of a second's fixes at a time; the instants of commit."""
    committed: dict[tuple[str, int], float] = {}
    begin = time.perf_counter()
    for n, part in enumerate(_parts(ticks)):
        time.sleep(max(0.0, begin + n / BATCHES_A_SECOND - time.perf_counter()))
        write_positions(part)
        at = time.perf_counter()
        committed |= {(p.device_id, p.ts): at for p in part}
        stream.announce(client, windows_of(part))
    return committed


def _parts(ticks: Sequence[Sequence[Position]]) -> Iterator[Sequence[Position]]:
    for tick in ticks:
        for n in range(BATCHES_A_SECOND):
            yield tick[n::BATCHES_A_SECOND]


def _latencies(
    urls: embedded.Urls, committed: dict[tuple[str, int], float], seen: dict[tuple[str, str], float]
) -> Iterator[float]:
    """Raises SystemExit when a result never came: a figure counts only when all are there."""
    names = {str(waypoint.id): str(waypoint) for waypoint in Waypoint.objects.all()}
    with psycopg.connect(urls.database) as connection:
        passed = connection.execute(PASSED).fetchall()
    for entry, control, device, ts in passed:
        at = committed.get((device, ts))
        if at is None:
            continue
        shown = seen.get((entry, names[control]))
        if shown is None:
            raise SystemExit(f"entry {entry} never showed {names[control]}")
        yield (shown - at) * 1000
