"""Whether viewers slow the timing: python benchmarks/live_timing.py [--quick] [--single] [--nice N] [--json]

500 trackers at 1 Hz on the telemetry stream, stored and scored by the real scorer; in turn with nobody looking on and
with 1,000 viewers of the map on one `run_live`, as it is shipped. From the instant a fix is committed to the instant
its changed result is seen on the outbox, without and with them, and what they were sent meanwhile. The viewers stand
for other machines and so run at the lowest priority; what they and `run_live` took of a core is told.
`--single`: viewers who take positions one at a time, not compressed, as contracts §4 has it without `batch`.
It works on servers of its own, in a directory that goes away, whatever DATABASE_URL and REDIS_URL say.
"""

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from apps.common import embedded, stream  # noqa: E402
from benchmarks.processes import cpu_s  # noqa: E402

STREAM = "bench:t"
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Size:
    """Trackers, viewers, and how often which seconds are measured without and with viewers."""

    cars: int = 500
    viewers: int = 1000
    seconds: int = 30
    rounds: int = 5


QUICK = Size(cars=300, viewers=300, seconds=15, rounds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where viewers look on, and how."""

    port: int
    pid: int
    event: str
    single: bool


@contextmanager
def run_live(nice: int | None) -> Iterator[tuple[int, int]]:
    """The shipped process on a free port: (port, pid)."""
    from benchmarks import live_field

    port = live_field.free_port()
    lower = [] if nice is None else ["--nice", str(nice)]
    command = [sys.executable, "manage.py", "run_live", "--port", str(port), "--drain", "0", *lower]
    with live_field.served(command, port) as pid:
        yield port, pid


@contextmanager
def viewers(place: Place, count: int) -> Iterator[dict[str, float]]:
    """A process of viewers; in the end the dict holds what they were sent and what they and the server used."""
    command = [sys.executable, "-m", "benchmarks.live_watchers", str(place.port), str(count), place.event]
    command += ["--single"] if place.single else []
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout
    if process.stdout.readline() != "watching\n":
        raise SystemExit("the viewers could not come in")
    begin, before, own = time.perf_counter(), cpu_s(place.pid), cpu_s(process.pid)
    told: dict[str, float] = {}
    try:
        yield told
    finally:
        spent = {"seconds": time.perf_counter() - begin, "live_cpu_s": cpu_s(place.pid) - before}
        process.terminate()
        told |= spent | json.loads(process.communicate()[0] or "{}")
        told["cpu_s"] -= own


def round_of(urls: embedded.Urls, stage: str, ticks: Sequence[Sequence[Any]]) -> list[float]:
    """ms from commit to result, while the same fixes are on the telemetry stream."""
    from benchmarks import latency

    over = threading.Event()
    feeder = threading.Thread(target=_feed, args=(urls, ticks, over))
    feeder.start()
    try:
        return latency.measure(urls, stage, ticks)
    finally:
        over.set()
        feeder.join()


def _feed(urls: embedded.Urls, ticks: Sequence[Sequence[Any]], over: threading.Event) -> None:
    with stream.connect(urls.redis) as client:
        for tick in ticks:
            for n in range(10):
                stream.send(client, STREAM, tick[n::10])
                if over.wait(0.1):
                    return


def compare(urls: embedded.Urls, size: Size, options: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import rally

    now = int(time.time()) * 1000 - 10 * MINUTE_MS
    cars = _field(now, size)
    ticks = iter([rally.tick(cars, now + n * 1000) for n in range(2 * size.rounds * size.seconds)])
    without: list[list[float]] = []
    with_: list[list[float]] = []
    told: list[dict[str, float]] = []
    with run_live(options.nice) as (port, pid):
        for _ in range(size.rounds):
            without.append(round_of(urls, cars.stage, [next(ticks) for _ in range(size.seconds)]))
            with viewers(Place(port, pid, cars.event, options.single), size.viewers) as sent:
                with_.append(round_of(urls, cars.stage, [next(ticks) for _ in range(size.seconds)]))
            told.append(sent)
    return _timing(without, with_) | _served(told, size)


def _field(now: int, size: Size) -> Any:
    """A public event whose cars are under way, scored up to `now` (epoch ms)."""
    from apps.events.models import Event
    from apps.scoring import services
    from benchmarks import field, rally

    cars = rally.build("live", field.drive(size.cars, 14_400), now - 210 * MINUTE_MS, 12_000 // size.cars)
    Event.objects.update(is_public=True)
    for _step in services.score_again(services.Again(cars.event)):
        pass
    return cars


def _timing(without: list[list[float]], with_: list[list[float]]) -> dict[str, Any]:
    pairs = [(statistics.median(a), statistics.median(b)) for a, b in zip(without, with_, strict=True)]
    return {
        "results_awaited": sum(map(len, without + with_)),
        "without_p50_ms": round(statistics.median(a for a, _ in pairs), 1),
        "with_p50_ms": round(statistics.median(b for _, b in pairs), 1),
        "without_p95_ms": _p95(without),
        "with_p95_ms": _p95(with_),
        "rounds": [round(b / a, 2) for a, b in pairs],
        "with_to_without": round(statistics.median(b / a for a, b in pairs), 2),
    }


def _p95(rounds: list[list[float]]) -> float:
    every = sorted(ms for one in rounds for ms in one)
    return round(every[min(len(every) - 1, 19 * len(every) // 20)], 1)


def _served(told: list[dict[str, float]], size: Size) -> dict[str, Any]:
    """All viewers together, a second with fixes; `_core` of one core, while they looked on."""
    sums = {name: sum(one[name] for one in told) for name in told[0]}
    driven = size.rounds * size.seconds
    return {
        "positions_a_second": round(sums["positions"] * size.viewers / driven),
        "writes_a_second": round(sums["reads"] / driven),
        "mbit_a_second": round(sums["bytes"] * 8e-6 / driven, 1),
        "least_served": min(one["least_served"] for one in told),
        "live_core": round(sums["live_cpu_s"] / sums["seconds"], 3),
        "viewers_core": round(sums["cpu_s"] / sums["seconds"], 3),
    }


def measure(urls: embedded.Urls, size: Size, options: argparse.Namespace) -> dict[str, Any]:
    os.environ |= {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis, "DJANGO_SETTINGS_MODULE": "trm.settings"}
    os.environ |= {"LOG_LEVEL": "ERROR", "METRICS_PORT": "0", "REDIS_TELEMETRY_STREAM": STREAM}
    subprocess.run([sys.executable, "manage.py", "prepare_database", "--verbosity=0"], cwd=ROOT, check=True)
    import django

    django.setup()
    return compare(urls, size, options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="300 trackers, 300 viewers, fifteen seconds")
    parser.add_argument("--single", action="store_true", help="positions one at a time, not compressed")
    parser.add_argument("--nice", type=int, help="of run_live, instead of its default")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the server and the viewers inherit it
    with tempfile.TemporaryDirectory(prefix="trm-bench-") as directory, embedded.servers(Path(directory)) as urls:
        report = measure(urls, QUICK if options.quick else Size(), options)
    if options.json:
        sys.stdout.write(json.dumps(report) + "\n")
        return
    for name, value in report.items():
        sys.stdout.write(f"{name:20} {value}\n")


if __name__ == "__main__":
    main()
