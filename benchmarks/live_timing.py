"""Whether viewers slow the timing: python benchmarks/live_timing.py [--quick] [--json]

500 trackers at 1 Hz on the telemetry stream, stored and scored by the real scorer; in turn with nobody looking on and
with 1,000 viewers of the map, on one web process. From the instant a fix is committed to the instant its changed
result is seen on the outbox, without and with them, and what the viewers were sent meanwhile. The web process and the
viewers run at the lowest priority (`nice -n 19`), as an operator would run viewers beside timing on one machine.
It works on servers of its own, in a directory that goes away, whatever DATABASE_URL and REDIS_URL say.
"""

import argparse
import json
import os
import resource
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

STREAM = "bench:t"
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Size:
    """Trackers, viewers, and how often which seconds are measured without and with viewers."""

    cars: int = 500
    viewers: int = 1000
    seconds: int = 30
    rounds: int = 3


QUICK = Size(cars=100, viewers=200, seconds=10, rounds=1)


@contextmanager
def viewers(port: int, count: int, event: str) -> Iterator[list[int]]:
    """A process of viewers; in the end the list holds how many frames they were sent."""
    command = ["nice", "-n", "19", sys.executable, "-m", "benchmarks.live_clients", str(port), str(count), event]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    if process.stdout.readline() != "watching\n":
        raise SystemExit("the viewers could not come in")
    sent: list[int] = []
    try:
        yield sent
    finally:
        process.terminate()
        sent.append(int(process.communicate()[0] or 0))


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


def compare(urls: embedded.Urls, size: Size, port: int) -> dict[str, Any]:
    from apps.events.models import Event
    from apps.scoring import services
    from benchmarks import field, rally

    now = int(time.time()) * 1000 - 10 * MINUTE_MS
    cars = rally.build("live", field.drive(size.cars, 14_400), now - 210 * MINUTE_MS, 12_000 // size.cars)
    Event.objects.update(is_public=True)
    for _step in services.score_again(services.Again(cars.event)):
        pass
    ticks = iter([rally.tick(cars, now + n * 1000) for n in range(2 * size.rounds * size.seconds)])
    without: list[list[float]] = []
    with_: list[list[float]] = []
    frames = 0
    for _ in range(size.rounds):
        without.append(round_of(urls, cars.stage, [next(ticks) for _ in range(size.seconds)]))
        with viewers(port, size.viewers, cars.event) as sent:
            with_.append(round_of(urls, cars.stage, [next(ticks) for _ in range(size.seconds)]))
        frames += sent[0]
    return _report(without, with_) | {"frames_a_second": round(frames / (size.rounds * size.seconds))}


def _report(without: list[list[float]], with_: list[list[float]]) -> dict[str, Any]:
    pairs = [(statistics.median(a), statistics.median(b)) for a, b in zip(without, with_, strict=True)]
    return {
        "results_awaited": sum(map(len, without + with_)),
        "without_p50_ms": round(statistics.median(a for a, _ in pairs), 1),
        "with_p50_ms": round(statistics.median(b for _, b in pairs), 1),
        "with_to_without": round(statistics.median(b / a for a, b in pairs), 2),
    }


def measure(urls: embedded.Urls, size: Size) -> dict[str, Any]:
    os.environ |= {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis, "DJANGO_SETTINGS_MODULE": "trm.settings"}
    os.environ |= {"LOG_LEVEL": "ERROR", "METRICS_PORT": "0", "REDIS_TELEMETRY_STREAM": STREAM}
    subprocess.run([sys.executable, "manage.py", "prepare_database", "--verbosity=0"], cwd=ROOT, check=True)
    import django

    django.setup()
    from benchmarks import live_field

    with live_field.web("trm.asgi:application", nice=True) as (port, _):
        return compare(urls, size, port)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="100 trackers, 200 viewers, ten seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the server and the viewers inherit it
    with tempfile.TemporaryDirectory(prefix="trm-bench-") as directory, embedded.servers(Path(directory)) as urls:
        report = measure(urls, QUICK if options.quick else Size())
    if options.json:
        sys.stdout.write(json.dumps(report) + "\n")
        return
    for name, value in report.items():
        sys.stdout.write(f"{name:20} {value}\n")


if __name__ == "__main__":
    main()
